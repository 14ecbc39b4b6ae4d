// 没带证: somebody who lives here and has neither phone nor card. Building, room, and they are at hand.

import { button } from "./dom.js";
import * as dwelling from "./dwelling.js";
import { asking } from "./form.js";
import { enter, errorWords } from "./nav.js";
import { whyNobody } from "./roster.js";
import { send } from "./touch.js";
import { say } from "./words.js";

let state = {};

export const find = {
  name: "find",
  open: () => { state = {}; },
  back: () => dwelling.stepBack(state),
  scene: () => dwelling.scene(state),
  draw(snapshot) {
    const error = errorWords(snapshot), known = !whyNobody();
    const prompt = known ? dwelling.prompt(state) : say("titles", "find");
    const found = ({ holder }, element) => send({ action: "find", pass_id: holder.pass_id }, element);
    return [
      asking(prompt, error),
      dwelling.pick({ state, wantsHolder: true, strict: true, done: found }),
      known && !dwelling.isEmpty(state) ? null : button(say("ui", "to_visitor"), () => enter("visitor"), { class: "primary" }),
    ];
  },
};
