"""Prints the blocks of one section of a document, a file each: readme.py DOCUMENT HEADING FOLDER.

The files are 1.sh, 2.sh, 3.python and so on, in the order of the document; each is word for word what a reader sees.
"""

import pathlib
import re
import sys

document, heading, folder = sys.argv[1:4]
text = pathlib.Path(document).read_text(encoding="utf-8")
section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.M | re.S)
if not section:
    sys.exit(f"{document} has no section '{heading}'")
blocks = re.findall(r"^```(sh|python)\n(.*?)^```$", section[1], re.M | re.S)
if not blocks:
    sys.exit(f"the section '{heading}' of {document} has no blocks")
for number, (language, block) in enumerate(blocks, 1):
    pathlib.Path(folder, f"{number}.{language}").write_text(block, encoding="utf-8")
