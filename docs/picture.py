#!/usr/bin/env python3
"""Makes the pictures of docs/src/images: what the commands show on a terminal of 80 columns.

    pip install pyte rich
    docs/picture.py             # ci.svg
    docs/picture.py promote     # promote.svg; a release may be named

Runs the commands on a pseudo-terminal, and draws what an emulated terminal shows at the end. Nothing is
made up. `ci`: every step once (`--force`), then once more from the cache, without the lines above the
second table, which say the same. `promote`: from the rollout in production on, then a rollback; a release
must be live there, another one be built, and `cargo xtask load --url` send requests meanwhile.
"""
import os
import pty
import re
import sys
from pathlib import Path

import pyte
from rich.console import Console
from rich.text import Text

COLUMNS, ROWS = 80, 400
ROOT = Path(__file__).resolve().parent.parent


def shown(arguments):
    """The lines that are on the terminal when the command has ended, as rich texts."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.ByteStream(screen)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.environ.update(TERM="xterm-256color", COLUMNS=str(COLUMNS), LANG="C.UTF-8")
        os.environ.pop("CI", None)
        os.execvp("cargo", ["cargo", *arguments])
    import fcntl, struct, termios
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        stream.feed(data)
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit("\n".join(screen.display).strip() + f"\n{arguments} failed")
    lines = []
    for row in range(ROWS):
        line = Text()
        for column in range(COLUMNS):
            cell = screen.buffer[row][column]
            color = cell.fg if cell.fg == "default" or not re.fullmatch("[0-9a-f]{6}", cell.fg) else "#" + cell.fg
            color = {"brown": "yellow"}.get(color, color).replace("bright", "bright_")
            style = ("bold " if cell.bold else "") + color
            line.append(cell.data, style=style)
        line.rstrip()
        lines.append(line)
    while lines and not lines[-1].plain:
        lines.pop()
    return lines


def draw(name, title, parts):
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), color_system="truecolor", force_terminal=True)
    for at, (command, lines) in enumerate(parts):
        for line in [*([Text()] if at else []), Text(f"$ {command}", style="bold"), *lines]:
            console.print(line, overflow="crop", no_wrap=True)
    svg = console.export_svg(title=title)
    # The picture asks no other host for a font.
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.S).replace("Fira Code, monospace", "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace")
    picture = ROOT / f"docs/src/images/{name}.svg"
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(svg)


def ci():
    first = shown(["xtask", "ci", "--force"])
    second = shown(["xtask", "ci"])
    table = next(at for at, line in enumerate(second) if line.plain.strip().startswith("step "))
    draw("ci", "cargo xtask ci", [("cargo xtask ci --force", first), ("cargo xtask ci", second[table:])])


def promote():
    command = ["xtask", "promote", *sys.argv[2:]]
    lines = shown(command)
    began = next((at for at, line in enumerate(lines) if line.plain.startswith("production  rollout")), None)
    if began is None:
        sys.exit("\n".join(line.plain for line in lines) + "\nexpected a rollout in production: build a release first that is not live there")
    back = shown(["xtask", "rollback", "--env", "production", "--reason", "checkout is slow"])
    draw("promote", "cargo xtask promote", [(" ".join(["cargo", *command]), lines[began:]), ("cargo xtask rollback --env production --reason 'checkout is slow'", back)])


{"ci": ci, "promote": promote}[sys.argv[1] if len(sys.argv) > 1 else "ci"]()
