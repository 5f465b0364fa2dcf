"""The client of a notebook's kernel, which keeps no more output than a limit."""

from __future__ import annotations

import json
from typing import Any

import nbclient
import nbformat

LINE, LINES = 1000, 20  # kept of an error that is too long: characters of a line, and lines


class Client(nbclient.NotebookClient):
    """Runs cells, and keeps no more of a cell's output than a limit."""

    limit = kept = left_out = 0

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Handle a message of the kernel, unless it is output beyond the limit."""
        if not cell.outputs or self.clear_before_next_output:
            self.kept = 0
        kind, content = msg["msg_type"], msg["content"]
        if kind in ("clear_output", "execute_input"):
            self.left_out = 0
        size = _size(content)
        room = self.limit - (0 if kind == "update_display_data" else self.kept)
        if size > max(room, 0):  # a message without output always passes
            if kind not in ("stream", "error") or (kind == "stream" and room <= 0):
                self.left_out += size
                return None
            _shorten(content, room)
            self.left_out += size - _size(content)
        self.kept += _size(content) if kind != "update_display_data" else 0
        return super().process_message(msg, cell, cell_index)


def _shorten(content: dict[str, Any], room: int) -> None:
    """Cut a text, or an error, which keeps at least the lines that say where it was raised."""
    if "text" in content:
        content["text"] = content["text"][:room]
    else:
        content["evalue"] = content["evalue"][:LINE]
        content["traceback"] = [line[:LINE] for line in content["traceback"][-LINES:]]


def _size(content: dict[str, Any]) -> int:
    """Return how many characters of output a message brings."""
    shown = [content.get("text", ""), content.get("evalue", ""), *content.get("traceback", [])]
    shown += [v if isinstance(v, str) else json.dumps(v) for v in content.get("data", {}).values()]
    return sum(map(len, shown))


def message(text: str) -> Any:
    """Return an output that tells the notebook's reader something."""
    untyped: Any = nbformat.v4
    return untyped.new_output("stream", name="stderr", text=f"\nd2lrnn book: {text}\n")
