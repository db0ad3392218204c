"""An answer or a conversation as a file of its own: Markdown, DOCX, JSON, or text to paste.

    paper = Paper.of_conversation(history.conversation(user, conversation_id), link)
    export.as_markdown(paper), export.as_docx(paper), export.as_json(paper), export.as_text(paper)
    export.file_name(paper, "docx")                            # 2026-11-25-how-long-is-the-new-quay.docx

`link` makes the absolute address at which a quote opens. Every quote is the article's own text, every source has its
number, title, publisher, date, licence and links. All text is a stranger's: it is escaped, and never becomes markup.
"""

from bri_qa.export.docx import as_docx
from bri_qa.export.paper import Link, Paper, Place, file_name
from bri_qa.export.written import as_json, as_markdown, as_text

__all__ = ["Link", "Paper", "Place", "as_docx", "as_json", "as_markdown", "as_text", "file_name"]
