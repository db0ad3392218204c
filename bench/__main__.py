"""`python -m bench [NAME …]`: run the benchmarks, write their results, and fill the tables of the README.

`--quick` runs each at a tiny size and prints the figures; nothing is written.
"""

from __future__ import annotations

import argparse
import importlib
import json

from bench import machine, readme
from bri_qa.errors import BriQAError

NAMES = ("embed", "lexical", "vectors", "index", "ask", "read", "evaluate", "load", "memory")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is no number of cases; give 1 or more")
    return int(text)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure speed and memory.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; all if none is given")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it runs; writes nothing")
    parser.add_argument("--note", default="", help="what a reader of the result must know, such as other load")
    parser.add_argument("--cases", type=_positive, metavar="N", help="evaluate: how many cases; 5,000 if not given")
    parser.add_argument("--fresh", action="store_true", help="evaluate: throw away one that was not finished")
    options = parser.parse_args()
    if unknown := sorted(set(options.names) - set(NAMES)):
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    if (options.cases or options.fresh) and "evaluate" not in (options.names or NAMES):
        parser.error("--cases and --fresh are of the benchmark evaluate")
    for name in options.names or NAMES:
        given = {"cases": options.cases, "fresh": options.fresh} if name == "evaluate" else {}
        try:
            figures = importlib.import_module(f"bench.{name}").measure(options.quick, **given)
        except BriQAError as error:
            parser.exit(2, f"bench: {error}\n")
        if options.quick:
            print(json.dumps({name: figures}, indent=1, ensure_ascii=False))
        else:
            print(machine.keep(name, figures, options.note))
    if not options.quick:
        readme.main([])


if __name__ == "__main__":
    main()
