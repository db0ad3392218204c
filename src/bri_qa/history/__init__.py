"""Conversations of each user with their answers as they were given, and feedback on them, in one SQLite file.

    database = Database.open(Path("data"))                          # migrated; refuses a newer or damaged file
    history, ratings = History(database), Ratings(database)
    entry = history.add(user, answer, pipeline.document)            # a new conversation, titled by its question
    entry = history.add(user, answer, pipeline.document, entry.conversation_id)     # …and its next question
    page = history.conversations(user, search="quay", limit=50)     # summaries, newest first; page.next goes on
    talk = history.conversation(user, entry.conversation_id)        # .entries to show again, .turns to go on asking
    shown = messages.abstained(entry.answer, entry.documents.get)   # the same objects as on the day it was asked
    history.rename(user, talk.id, "Quays"); history.delete(user, talk.id); history.delete_all(user)
    ratings.rate(user, entry.id, Rating.DOWN, citation=2, reason=Reason.QUOTE_DOES_NOT_SUPPORT, comment="…")
    history.purge(days=90); ratings.purge(days=365); database.close()

Every method takes the user's key and sees nothing of another user's; what is not theirs is missing. The exceptions are
the administrator's: `ratings.listed`, `ratings.counts`, `ratings.lines` and the two `purge`. All calls block for
a few milliseconds: run them in a thread. Safe from any number of threads.
"""

from bri_qa.history.conversations import History
from bri_qa.history.database import Database
from bri_qa.history.keys import Keys
from bri_qa.history.ratings import Ratings
from bri_qa.history.records import (
    Conversation,
    Entry,
    Feedback,
    Page,
    Rated,
    RatedPage,
    Rating,
    RatingFilters,
    Reason,
    Summary,
    stamp,
    title_of,
)

__all__ = [
    "Conversation",
    "Database",
    "Entry",
    "Feedback",
    "History",
    "Keys",
    "Page",
    "Rated",
    "RatedPage",
    "Rating",
    "RatingFilters",
    "Ratings",
    "Reason",
    "Summary",
    "stamp",
    "title_of",
]
