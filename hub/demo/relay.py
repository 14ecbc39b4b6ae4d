"""A station's network cable: a TCP relay between it and the broker that can be pulled out and put back."""

import contextlib
import selectors
import socket
import threading

_CHUNK = 65536


class Relay:
    """Listens on a free port of 127.0.0.1 and passes bytes on to the broker, until it is cut."""

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target = ("127.0.0.1", target_port)
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.cut = False
        self._thread = threading.Thread(target=self._accept, name=f"relay-{self.port}", daemon=True)
        self._thread.start()

    def pull(self) -> None:
        """Cut the network: what is open is dropped at once, and nothing gets through until `plug`."""
        with self._lock:
            self.cut = True
            self._drop_all()

    def plug(self) -> None:
        """Put the network back."""
        with self._lock:
            self.cut = False

    def close(self) -> None:
        """Stop listening and drop what is open."""
        with self._lock:
            self._drop_all()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _drop_all(self) -> None:
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError), socket.create_connection(self._target, timeout=5) as far:
            far.settimeout(None)
            with self._lock:
                if self.cut:
                    return
                self._open |= {near, far}
            try:
                _pump(near, far)
            finally:
                with self._lock:
                    self._open -= {near, far}


def _pump(near: socket.socket, far: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(near, selectors.EVENT_READ, far)
        selector.register(far, selectors.EVENT_READ, near)
        while True:
            for key, _ in selector.select():
                source: socket.socket = key.fileobj  # type: ignore[assignment]
                data = source.recv(_CHUNK)
                if not data:
                    return
                key.data.sendall(data)
