#!/usr/bin/env python3
"""The deepest stack below a function of a Cortex-M image, in bytes, with the calls that lead there.

    stack.py IMAGE ROOT [OBJDUMP]

Reads the disassembly: what each function pushes and reserves, and whom it calls. Recursion is an error. Prints nothing
if there are calls through pointers, since their depth is not known, and names them.
"""

import re
import subprocess
import sys


def registers(text):
    """How many registers a list such as `r4, r6-r8, lr` has."""
    count = 0
    for part in text.split(","):
        ends = [int(n) for n in re.findall(r"\d+", part)]
        count += ends[1] - ends[0] + 1 if "-" in part else 1
    return count


def functions(image, objdump):
    """Per function: bytes of its frame, whom it calls, and whether it calls through a pointer."""
    out = subprocess.run([objdump, "-d", image], capture_output=True, text=True, check=True).stdout
    found, name = {}, None
    for line in out.splitlines():
        head = re.match(r"[0-9a-f]+ <(\S+)>:$", line)
        if head:
            name = head[1]
            found[name] = [0, set(), False]
            continue
        code = line.split("\t")
        if name is None or len(code) < 3:
            continue
        operation, operands = code[2].strip(), code[3] if len(code) > 3 else ""
        entry = found[name]
        pushed = re.search(r"\{(.*)\}", operands)
        if operation.startswith("push") and pushed:
            entry[0] += 4 * registers(pushed[1])
        elif operation.startswith("stmdb") and operands.startswith("sp!") and pushed:
            entry[0] += 4 * registers(pushed[1])
        elif operation.startswith("vpush") and pushed:
            entry[0] += 8 * registers(pushed[1])
        elif reserved := re.match(r"sp(?:, sp)?, #(\d+)", operands):
            if operation.startswith("sub"):
                entry[0] += int(reserved[1])
        elif stored := re.match(r"\w+, (?:\w+, )?\[sp, #-(\d+)\]!", operands):
            entry[0] += int(stored[1])
        elif operation.startswith("blx"):
            entry[2] = True
        # A jump leaves the frame or not; it is counted as a call, which is never too little.
        if operation.startswith(("b.", "bl", "b")) and (to := re.search(r"<([^+>]+)(?:\+0x[0-9a-f]+)?>", operands)):
            if to[1] != name:
                entry[1].add(to[1])
    return found


def deepest(found, name, path=()):
    """The deepest stack from this function on, and the path to it."""
    if name in path:
        raise SystemExit(f"recursion: {' > '.join(path)} > {name}")
    frame, calls, _ = found.get(name, (0, (), False))
    # What panics does not return, so it is not on the way of any input.
    calls = [call for call in calls if "panic" not in call and "_fail" not in call]
    below = max((deepest(found, call, (*path, name)) for call in calls), default=(0, ()))
    return frame + below[0], ((name, frame), *below[1])


def reached(found, root):
    """Every function that may be called from this one on."""
    todo, seen = [root], set()
    while todo:
        name = todo.pop()
        if name in found and name not in seen:
            seen.add(name)
            todo.extend(found[name][1])
    return seen


def main():
    image, root = sys.argv[1:3]
    found = functions(image, sys.argv[3] if len(sys.argv) > 3 else "arm-none-eabi-objdump")
    total, path = deepest(found, root)
    for name, frame in path:
        print(f"{frame:6} {name}", file=sys.stderr)
    pointers = [name for name in reached(found, root) if found[name][2]]
    for name in pointers:
        print(f"calls through a pointer: {name}", file=sys.stderr)
    if not pointers:
        print(total)


if __name__ == "__main__":
    main()
