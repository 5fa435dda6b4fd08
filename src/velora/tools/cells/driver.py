"""Runs in the task's container, under whatever Python that has: cells of code, one after another.

    python driver.py DIRECTORY

Waits at the FIFO DIRECTORY/ask for a cell's number, runs DIRECTORY/NUMBER.py in one lasting
namespace with its output in DIRECTORY/NUMBER.out, and writes `0` or `1` to the FIFO
DIRECTORY/done. The value of a last expression is shown, and a line that begins with `!` goes to
the shell. Nothing newer than Python 3.3 is used.
"""

import ast
import os
import re
import signal
import sys
import traceback


def _session():
    names = {"__name__": "__main__", "__builtins__": __builtins__}

    def run(source):
        source = re.sub(r"(?m)^([ \t]*)!(.*)$", _command, source)
        tree = ast.parse(source, "<cell>")
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr):
            last = ast.Expression(tree.body.pop().value)
        exec(compile(tree, "<cell>", "exec"), names)
        if last is not None:
            value = eval(compile(last, "<cell>", "eval"), names)
            if value is not None:
                print(repr(value))

    return run


def _command(found):
    return "%s__import__('os').system(%r)" % (found.group(1), found.group(2))


def main(directory):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run = _session()
    while True:
        try:
            with open(os.path.join(directory, "ask")) as ask:
                number = ask.read().strip()
            if not number:
                continue
            status = _cell(run, os.path.join(directory, number))
            with open(os.path.join(directory, "done"), "w") as done:
                done.write(status + "\n")
        except KeyboardInterrupt:
            continue  # an interrupt that came too late


def _cell(run, path):
    kept = os.dup(1), os.dup(2)
    out = os.open(path + ".out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(out)
    succeeded = False
    try:
        with open(path + ".py", encoding="utf-8") as cell:
            source = cell.read()
        run(source)
        succeeded = True
    except BaseException as error:
        # The frames of this program are nobody's concern.
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        traceback.print_exception(type(error), error, frames)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os.dup2(kept[0], 1)
        os.dup2(kept[1], 2)
        os.close(kept[0])
        os.close(kept[1])
    return "0" if succeeded else "1"


main(sys.argv[1])
