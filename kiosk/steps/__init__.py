"""What the station's heart does, one concern a file: pure steps, (state, input, now, setup) → (state, effects)."""
