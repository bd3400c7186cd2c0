# A modem on a pseudo-terminal, for tests: prints the name of its line, then plays the answers of a script (JSON on the command line).
# A rule is [pattern, answer...]: the first that matches what came gives its next answer, and its last one from then on. What came
# is printed as hexadecimal, a line each.
import json
import os
import pty
import re
import sys
import tty

rules = [[re.compile(rule[0].encode("latin-1"), re.S), rule[1:]] for rule in json.loads(sys.argv[1])]
master, slave = pty.openpty()
tty.setraw(slave)
print(os.ttyname(slave), flush=True)
pending = b""
while True:
    try:
        part = os.read(master, 1024)
    except OSError:
        break
    if not part:
        break
    pending += part
    if not re.search(rb"[\r\x1a\x1b]$", pending):
        continue
    print(pending.hex(), flush=True)
    came, pending = pending, b""
    for rule in rules:
        if rule[0].search(came):
            answer = rule[1][0]
            if len(rule[1]) > 1:
                rule[1] = rule[1][1:]
            os.write(master, answer.encode("latin-1"))
            break
