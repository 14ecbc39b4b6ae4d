"""A network that fails as told: a TCP proxy on 127.0.0.1, with its own event loop in its own thread."""

import asyncio
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass

_CHUNK = 65_536
_LINGER = struct.pack("ii", 1, 0)
"""Closing sends a reset at once (socket(7), SO_LINGER)."""


@dataclass
class _Pair:
    """One connection through the proxy, and the one from there on."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    silent: bool = False
    """Both ends stand, and nothing gets through any more."""


class Proxy:
    """Everything gets through until told otherwise."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._pairs: list[_Pair] = []
        self.connections = 0
        """How many were let through so far."""
        self._cut = self._deaf = False
        self._delay = 0.0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(asyncio.start_server(self._carry, "127.0.0.1", 0), self._loop).result()
        self.port: int = self._server.sockets[0].getsockname()[1]

    def heal(self) -> None:
        """Everything that connects from now on gets through, at once and both ways."""
        self._cut, self._deaf, self._delay = False, False, 0.0

    def partition(self) -> None:
        """Nothing gets through, and nobody is told: what is open falls silent, what connects hears nothing."""
        self._cut = True

    def half_open(self) -> None:
        """What is open falls silent for ever, neither end being told; what connects anew gets through."""
        for pair in self._pairs:
            pair.silent = True

    def delay(self, seconds: float) -> None:
        """Everything takes so long, each way."""
        self._delay = seconds

    def deafen(self) -> None:
        """What is sent arrives, and no answer comes back: whoever sent it will send it again."""
        self._deaf = True

    def reset(self) -> None:
        """Every open connection is reset."""
        self._loop.call_soon_threadsafe(self._reset)

    def close(self) -> None:
        """End it."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        self._reset()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:  # each ends with its connection
            await asyncio.wait(others, timeout=5)

    def _reset(self) -> None:
        for pair in self._pairs:
            for writer in (pair.near, pair.far):
                found: socket.socket = writer.get_extra_info("socket")
                with suppress(OSError):
                    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
                writer.transport.abort()
        self._pairs.clear()

    async def _carry(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            near.close()
            return
        pair = _Pair(near, far)
        self._pairs.append(pair)
        self.connections += not self._cut
        up = asyncio.create_task(self._pump(pair, reader, far, back=False))
        down = asyncio.create_task(self._pump(pair, far_reader, near, back=True))
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
        for task in (up, down):
            task.cancel()
        near.close()
        far.close()
        if pair in self._pairs:
            self._pairs.remove(pair)

    async def _pump(self, pair: _Pair, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, back: bool) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._delay:
                    await asyncio.sleep(self._delay)
                pair.silent = pair.silent or self._cut
                if not (pair.silent or (back and self._deaf)):
                    writer.write(data)
                    await writer.drain()
