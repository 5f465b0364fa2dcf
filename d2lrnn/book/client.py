"""The client of a notebook's kernel, which limits the output of a cell."""

from __future__ import annotations

import json
from typing import Any

import nbclient
import nbformat

LINE, LINES = 1000, 20  # the characters of a line and the lines of a shortened error


class Client(nbclient.NotebookClient):
    """A client that limits the characters of output of each cell."""

    limit = stored = left_out = 0

    def process_message(self, msg: dict[str, Any], cell: Any, cell_index: int) -> Any:
        """Handle a message of the kernel, unless it is output beyond the limit."""
        if not cell.outputs or self.clear_before_next_output:
            self.stored = 0
        kind, content = msg["msg_type"], msg["content"]
        if kind in ("clear_output", "execute_input"):
            self.left_out = 0
        size = _size(content)
        room = self.limit - (0 if kind == "update_display_data" else self.stored)
        if size > max(room, 0):  # a message without output always passes
            if kind not in ("stream", "error") or (kind == "stream" and room <= 0):
                self.left_out += size
                return None
            _shorten(content, room)
            self.left_out += size - _size(content)
        self.stored += _size(content) if kind != "update_display_data" else 0
        return super().process_message(msg, cell, cell_index)


def _shorten(content: dict[str, Any], room: int) -> None:
    """Cut a text, or an error, of which the last lines with the place of the error remain."""
    if "text" in content:
        content["text"] = content["text"][:room]
    else:
        content["evalue"] = content["evalue"][:LINE]
        content["traceback"] = [line[:LINE] for line in content["traceback"][-LINES:]]


def _size(content: dict[str, Any]) -> int:
    """Return the number of characters of output in a message."""
    texts = [content.get("text", ""), content.get("evalue", ""), *content.get("traceback", [])]
    texts += [v if isinstance(v, str) else json.dumps(v) for v in content.get("data", {}).values()]
    return sum(map(len, texts))


def message(text: str) -> Any:
    """Return an output with a message for the notebook's reader."""
    untyped: Any = nbformat.v4
    return untyped.new_output("stream", name="stderr", text=f"\nd2lrnn book: {text}\n")
