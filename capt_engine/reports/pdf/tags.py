"""The tree that tells a screen reader what is a heading, a table or a picture, and in which order to read (PDF/UA-1, ISO 14289-1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fpdf.annotations import PDFAnnotation
from fpdf.output import PDFPage
from fpdf.structure_tree import NumberTree, StructElem, StructureTreeBuilder
from fpdf.syntax import PDFObject

if TYPE_CHECKING:
    from fpdf.encryption import StandardSecurityHandler

COLUMN, ROW = "<</O /Table /Scope /Column>>", "<</O /Table /Scope /Row>>"
"""Attributes of a header cell: what it is the header of."""
_FIRST_LINK = 1_000_000
"""Numbers in the parent tree from here on are those of links; below are the pages."""


def spanning(columns: int) -> str:
    """Return the attribute of a cell that is as wide as `columns` columns."""
    return f"<</O /Table /ColSpan {columns}>>"


class Element(StructElem):
    """A structure element with attributes, such as the scope of a header cell; a is written as it stands."""

    def __init__(
        self,
        tag: str,
        parent: PDFObject,
        kids: list[int],
        *,
        page: int | None = None,
        title: str | None = None,
        alt: str | None = None,
        attributes: str = "",
    ) -> None:
        super().__init__(f"/{tag}", parent, kids, page_number=page, title=title, alt=alt)
        self.a = attributes or None


class _LinkReference:
    """The place of a link's annotation in the tree: fpdf2 writes what `serialize` returns."""

    def __init__(self, annotation: PDFAnnotation, page: PDFPage) -> None:
        self._annotation, self._page = annotation, page

    def serialize(self, _security_handler: object = None, _obj_id: object = None) -> str:
        """Return the object reference as PDF source."""
        return f"<</Type /OBJR /Obj {self._annotation.ref} /Pg {self._page.ref}>>"


class _ParentTree(NumberTree):
    """The way back from the contents of a page, and from a link, to the elements of the tree."""

    def __init__(self) -> None:
        super().__init__()
        self._links: list[StructElem] = []

    def add_link(self, element: StructElem) -> int:
        """Add the element of a link, and return its number."""
        self._links.append(element)
        return _FIRST_LINK + len(self._links) - 1

    def serialize(
        self, obj_dict: dict[str, object] | None = None, _security_handler: StandardSecurityHandler | None = None
    ) -> str:
        """Return the tree as PDF source, the numbers in order."""
        pages = [f"{number} [{' '.join(one.ref for one in some)}]" for number, some in sorted(self.nums.items())]
        links = [f"{_FIRST_LINK + place} {one.ref}" for place, one in enumerate(self._links)]
        newline = "\n"
        return PDFObject.serialize(self, {**(obj_dict or {}), "/Nums": f"[{newline.join((*pages, *links))}]"})


class TagTree(StructureTreeBuilder):
    """A structure tree with depth, where fpdf2's own is flat: Document > Sect > Table > TR > TD."""

    def __init__(self) -> None:
        super().__init__()
        self._parents = self.struct_tree_root.parent_tree = _ParentTree()
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
        element = Element(tag, parent, [], title=title)
        parent.k.append(element)
        self._all.append(element)
        return element

    def leaf(
        self, tag: str, page: int, parent: StructElem, alt: str | None = None, attributes: str = ""
    ) -> tuple[int, int, StructElem]:
        """Add an element for content drawn on page number `page` at the end of `parent`, and return how it is found.

        tag: its kind, such as "TD". alt: words for a screen reader, None for none. attributes: as PDF source, such as
        COLUMN. Returned are the content's number on that page, the page's number in the tree, and the element.
        """
        spid = self.spid_per_page_number.setdefault(page, len(self.spid_per_page_number))
        mcid = self._used[page]
        self._used[page] += 1
        element = Element(tag, parent, [mcid], page=page, alt=alt, attributes=attributes)
        parent.k.append(element)
        self._all.append(element)
        self.doc_struct_elem.k.append(element)
        self.struct_tree_root.parent_tree.nums[spid].append(element)
        return mcid, spid, element

    def link(self, element: StructElem, annotation: PDFAnnotation, page: PDFPage) -> None:
        """Say that `annotation`, a link on `page`, belongs to `element` of the tree."""
        element.k.append(_LinkReference(annotation, page))
        vars(annotation)["struct_parent"] = self._parents.add_link(element)

    def drop(self, element: StructElem) -> None:
        """Take `element` and all below it out of the tree again; nothing of it may have been drawn."""
        assert isinstance(element.p, StructElem)
        element.p.k.remove(element)
        gone = {id(element)}
        for one in self._all:
            if id(one.p) in gone:
                gone.add(id(one))
        self._all = [one for one in self._all if id(one) not in gone]

    def __iter__(self) -> Iterator[PDFObject]:
        """Every object to be written, the root first."""
        yield self.struct_tree_root
        yield self.document
        yield self.struct_tree_root.parent_tree
        yield from self._all
