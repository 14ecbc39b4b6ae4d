"""What emulated devices see: two small files a station, replaced as a whole so that none is read half-written."""

import json
import os
import threading
from pathlib import Path
from typing import Any

AIR_CELSIUS = 21.0
FOREHEAD_CELSIUS = 34.0


class World:
    """The world before one station: what is held up to its camera, and what its thermometer feels."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self.camera: dict[str, Any] = {"show": [], "style": "phone", "seed": 1, "hardness": 0.3, "connected": True}
        self.thermometer: dict[str, Any] = {
            "connected": True,
            "object_celsius": AIR_CELSIUS,
            "ambient_celsius": AIR_CELSIUS,
            "fault": None,
        }
        self._write("camera", self.camera)
        self._write("thermometer", self.thermometer)

    def show(self, *tokens: str, style: str = "phone", seed: int = 1) -> None:
        """Hold up codes to the camera; none: nobody is there."""
        with self._lock:
            self.camera |= {"show": list(tokens), "style": style, "seed": seed}
            self._write("camera", self.camera)

    def feel(self, **changes: Any) -> None:
        """Change what the thermometer feels: connected, object_celsius, ambient_celsius, fault."""
        with self._lock:
            self.thermometer |= changes
            self._write("thermometer", self.thermometer)

    def nobody(self) -> None:
        """The person steps away: no code, and a wall as warm as the air before the thermometer."""
        self.show()
        self.feel(object_celsius=self.thermometer["ambient_celsius"])

    def _write(self, name: str, scene: dict[str, Any]) -> None:
        fresh = self.folder / f".{name}.json.new"
        fresh.write_text(json.dumps(scene, ensure_ascii=False), encoding="utf-8")
        os.replace(fresh, self.folder / f"{name}.json")
