"""The demonstration: everything real on one machine, only the cameras and thermometers are emulated, at the wire."""

from hub.demo.run import run

__all__ = ["run"]
