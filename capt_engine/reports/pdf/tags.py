"""The tree that tells a screen reader what is a heading, a table or a picture, and in which order to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from fpdf.structure_tree import StructElem, StructureTreeBuilder
from fpdf.syntax import PDFObject


class TagTree(StructureTreeBuilder):
    """A structure tree with depth, where fpdf2's own is flat: Document > Sect > Table > TR > TD."""

    def __init__(self) -> None:
        super().__init__()
        # fpdf2 gives each child of `doc_struct_elem` its page; here it lists all that sit on one page, and stays out of the file.
        self.document = self.doc_struct_elem
        self.doc_struct_elem = StructElem("/Document", self.struct_tree_root, [])
        self._all: list[StructElem] = []
        self._used: Counter[int] = Counter()

    def branch(self, tag: str, parent: StructElem | None = None, title: str | None = None) -> StructElem:
        """Add an element that holds other elements to the document's structure, and return it.

        tag: its kind, such as "Table". parent: the element at whose end it stands, None for the document itself. title:
        words that name it, as for a section; None for none.
        """
        parent = parent or self.document
        element = StructElem(f"/{tag}", parent, [], title=title)
        parent.k.append(element)
        self._all.append(element)
        return element

    def leaf(self, tag: str, page: int, parent: StructElem, alt: str | None = None) -> tuple[int, int]:
        """Add an element for content drawn on page number `page` at the end of `parent`, and return how it is found.

        tag: its kind, such as "TD". alt: words for a screen reader, None for none. Returned are the content's number on
        that page, and the page's number in the tree.
        """
        spid = self.spid_per_page_number.setdefault(page, len(self.spid_per_page_number))
        mcid = self._used[page]
        self._used[page] += 1
        element = StructElem(f"/{tag}", parent, [mcid], page_number=page, alt=alt)
        parent.k.append(element)
        self._all.append(element)
        self.doc_struct_elem.k.append(element)
        self.struct_tree_root.parent_tree.nums[spid].append(element)
        return mcid, spid

    def __iter__(self) -> Iterator[PDFObject]:
        """Every object to be written, the root first."""
        yield self.struct_tree_root
        yield self.document
        yield self.struct_tree_root.parent_tree
        yield from self._all
