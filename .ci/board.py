"""Look at /api/v1/board on standard input; exit code 0 where it is as asked: alive, some, cut NAME, mended NAME."""

import json
import sys


def main() -> int:
    """Judge the board."""
    text = sys.stdin.read()
    if not text:
        return 1
    board, what, name = json.loads(text), sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    schools, incidents = board["schools"], board["incidents"]
    here = [one for one in incidents if name in one["root_name"]]
    if what == "alive":
        return 0 if not board["stale"] and schools.get("up", 0) >= 1300 else 1
    if what == "some":
        return 0 if incidents else 1
    if what == "cut":
        return 0 if any(one["schools"] >= 8 for one in here) else 1
    return 0 if not here else 1


if __name__ == "__main__":
    sys.exit(main())
