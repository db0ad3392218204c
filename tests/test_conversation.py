from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bri_qa.conversation import Intent, intent, standalone
from bri_qa.types import Question, Turn

ROUTED = {
    Intent.DIGEST: """
        summarise the article | Summarize the article. | summary | Summary, please | a summary of the article | TLDR
        Can you summarise this for me? | can you give me a short summary of the article? | please summarize | tl;dr
        give me an overview | what are the main points? | What are the key takeaways | What's the main point?
        main points | what is the article about? | What is this article about? | what’s this about? | what is it about
        what does the article say? | tell me about the article | describe the article | What are the articles about?
        Summarise the articles in three sentences | list the key points of the text | what's the gist?
        could you briefly summarise the whole text? | what is discussed in the article? | sum it up | I need a summary
        what topics does the article cover? | in short, what does the article say? | what are these documents about
        what is the main idea of the article? | Give me the main points in bullet points | summarise | summarise it
        sum up the article | Make a summary of the text in 100 words | I would like a summary of the article
        What's in the article? | Hello, what is this article about? | Hi! Summarise the article | ok, summarise
        Thanks! And what are the main points? | What are the three main points of the article? | briefly summarise
        tell me what the article is about | I want to know what the article is about | summary of this
        what are the article's main points | What is this article about？ | what is the topic of the article?
        So what is this all about? | What does this document say | give me a one-sentence summary | What are the main topics?
        """,
    Intent.SPEAKERS: """
        who is quoted? | Who is quoted in the article? | who are the people quoted? | who is cited | Who are quoted?
        which people are quoted in the article | Which officials are quoted? | list the speakers | who are the speakers
        List everyone who is quoted | list the people quoted in the article | who speaks in the article | who spoke?
        name the people quoted | Whose words are quoted? | Who is mentioned in the article? | What people are quoted?
        Who gets quoted | who does the article quote? | who says what in the article | Can you tell me who is quoted?
        Please list all people who are quoted. | and who is quoted? | who was interviewed | Show me the quotes
        """,
    Intent.GREETING: """
        hello | Hi! | hi there | Hello, how are you? | good morning | hey | 你好 | HELLO | Hello everyone! | How are you?
        """,
    Intent.THANKS: """
        thanks | Thank you! | thanks a lot | thank you very much | ok thanks | thx | Great, thank you | thanks, that helps
        thank you for your help | Thanks for the answer | ok | great | I see. | Thanks, that was very helpful! | 谢谢
        """,
    Intent.FAREWELL: "bye | Goodbye! | see you later | good night",
    Intent.HELP: """
        help | what can you do? | how does this work? | who are you? | what is this? | What can I ask? | help me
        how can you help me? | Are you a robot? | how do I use this?
        """,
}
QUESTIONS = """
    Who is quoted as saying that patience is fundamental? | What summary did the minister give? | trains | people
    Which summary figures are given for 2013? | How does the article summarise the risks? | what are the key industries?
    who gave the summary of the seminar? | what is the overview of trade? | Hello Kitty exports | help for farmers
    What are the main points of Mara Oduya's speech? | What are the main topics of the seminar? | test results
    who spoke at the seminar? | What is it about trains that makes them important? | Good results in 2024?
    thanks to whom was the bridge built? | What is this article's date? | Summarise what Mara Oduya said
    what does the article say about green growth? | Who is quoted on green growth? | summary of green growth
    overview of trade | thanks for that, how many cities? | thanks, how many cities are there? | summary of 2013 exports
    Hello, how many cities are there? | Thank you for the summary of trade, and who is Tomas Reiner? | Who is Yuan Da?
    How many people are quoted? | Who was quoted first on trade? | summarise trade in Europe | What is the key mechanism?
    What is the main reason for the growth? | How are the ports connected? | Which digest of laws was published?
    what is said about trade in the article? | who cited the 2013 figures? | Is the summary correct? | Describe the railway
    What did the people quoted in 2013 say? | Who is the author of the article? | when was the article written?
    what is the gist of her view? | tell me about trade | explain soft power | who is mentioned as director?
    Which cities are mentioned? | What documents were signed? | Who are you quoting on trade? | Great, and how many cities?
    In short, what does the ministry say? | the key points of the agreement | What outline was agreed?
    what is green growth all about? | Who was thanked? | Why was the help needed? | Did she say hello?
    """


def _split(block: str) -> list[str]:
    return [text.strip() for line in block.splitlines() for text in line.split(" | ") if text.strip()]


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, block in ROUTED.items() for text in _split(block)])
def test_a_message_gets_the_kind_of_answer_it_wants(kind: Intent, text: str) -> None:
    assert intent(text) is kind


@pytest.mark.parametrize("text", _split(QUESTIONS))
def test_a_question_with_such_words_in_it_stays_a_question(text: str) -> None:
    assert intent(text) is Intent.ANSWER


def test_only_a_short_message_is_routed() -> None:
    assert intent("  summarise \n\t the   article  ") is Intent.DIGEST
    assert intent("summarise" + " " * 1_000 + "the article") is Intent.DIGEST
    assert intent("please " * 40 + "summarise") is Intent.ANSWER
    assert intent("") is intent("?!…") is Intent.ANSWER


def _standalone(text: str, *before: str) -> str:
    """`before` holds user and assistant turns by turns."""
    roles = ("user", "assistant")
    turns = tuple(Turn("user" if roles[at % 2] == "user" else "assistant", said) for at, said in enumerate(before))
    return standalone(Question(text, turns))


@pytest.mark.parametrize(
    ("asked", "followup", "query"),
    [
        # fragments take the verb, or the words, of the question before
        ("How many countries does the train reach?", "and how many cities?", "how many cities does the train reach?"),
        (
            "How many freight trains have been launched?",
            "and how many cities?",
            "how many cities freight trains launched?",
        ),
        ("How many trains were launched?", "When?", "When were trains launched?"),
        ("Which cities does the train reach?", "How many?", "How many cities does the train reach?"),
        ("What did the repairs cost?", "how much?", "how much did the repairs cost?"),
        ("When was the seminar held?", "and where?", "where was the seminar held?"),
        ("Does the ferry run in winter?", "Why?", "Why does the ferry run in winter?"),
        ("Did imports rise?", "by how much?", "by how much did imports rise?"),
        ("How many cities does the train reach?", "in which countries?", "in which countries does the train reach?"),
        ("What does Tomas Reiner recommend?", "what else?", "what else does Tomas Reiner recommend?"),
        ("Quays built since 1990?", "how many?", "how many Quays built 1990?"),
        # "what about …" puts the question anew
        ("What did Mara Oduya say?", "What about Tomas Reiner?", "What did Tomas Reiner say?"),
        ("What did Mara Oduya say about trade?", "and Tomas Reiner?", "What did Tomas Reiner say about trade?"),
        ("How many air routes are there?", "what about sea routes?", "How many sea routes are there?"),
        ("How has the eastern region changed?", "and the western region?", "How has the western region changed?"),
        ("How many trains ran in 2024?", "and in 2025?", "How many trains ran in 2025?"),
        ("What was the share in 2024?", "and 2013?", "What was the share in 2013?"),
        ("How many routes are there?", "and by sea?", "How many routes are there by sea?"),
        ("How many trains go to France?", "How about Spain?", "How many trains go to France, Spain?"),
        # pronouns
        ("What did Mara Oduya suggest?", "what else did she say?", "what else did Mara Oduya say?"),
        ("What did Tomas Reiner say?", "What is his role?", "What is Tomas Reiner's role?"),
        ("What did Mara Oduya say?", "and her plans?", "What did Mara Oduya say, Mara Oduya's plans?"),
        ("What did Mara Oduya say?", "Did they ask her about trade?", "Did they ask Mara Oduya about trade?"),
        ("What did Émile Zola write?", "What did he say?", "What did Émile Zola say?"),
        ("What did the Coast Fund say?", "What will they do?", "What will the Coast Fund do?"),
        ("How many staff do firms have abroad?", "Where do they live?", "Where do they live staff firms abroad?"),
        (
            "How many countries joined the Belt and Road?",
            "Where are they?",
            "Where are they countries joined Belt Road?",
        ),
        # other references carry the words of the question before
        ("Who built the harbour?", "When did it open?", "When did it open built harbour?"),
        ("How many cities does the train reach?", "Who said that?", "Who said that cities train reach?"),
        ("How many cities does the train reach?", "Is that true?", "Is that true cities train reach?"),
        (
            "What is patient capital?",
            "What did Mara Oduya say about it?",
            "What did Mara Oduya say about it patient capital?",
        ),
        ("What is mechanism building?", "why is it important?", "why is it important mechanism building?"),
        ("Which industries should be developed?", "Such as?", "Such as industries developed?"),
        ("Which routes go by sea?", "How many are there?", "How many are there routes go sea?"),
        # more of the same
        ("What did the repairs cost?", "tell me more", "What did the repairs cost?"),
        ("What did the repairs cost?", "Go on.", "What did the repairs cost?"),
        # a whole question after a connective
        ("How many routes are there?", "And who is Tomas Reiner?", "who is Tomas Reiner?"),
    ],
)
def test_a_follow_up_is_put_so_that_it_stands_alone(asked: str, followup: str, query: str) -> None:
    assert _standalone(followup, asked, "An answer. [1]") == query


@pytest.mark.parametrize(
    "text",
    _split("""
        What is patient capital? | Is there a railway? | How many countries are there in the partnership?
        What does this article say about trade? | Who is mentioned as former director? | patient capital
        Who said that the train reaches the sea? | How long does it take to cross the sea? | who built the harbour?
        Who is the director and what did he say? | Does the article say that trains reach Asia? | Is it true that it rains?
        What happened at the same time? | What did Tomas Reiner say about his plans? | Which of those who spoke left?
        What grew in the first half of this year? | How many people live there now that the port is open?
        When the harbour opened, who ran it? | Which one of the ports grew by more than one million tons?
        """),
)
def test_a_question_that_stands_alone_is_left_alone(text: str) -> None:
    assert _standalone(text, "Who is Mara Oduya?", "Mara Oduya is the harbour master. [1]") == text


def test_the_person_may_come_from_the_answer() -> None:
    said = "Tomas Reiner, a member of the Coast Fund, believes that small projects matter. [1]"
    assert _standalone("What else did he say?", "Who spoke about projects?", said) == "What else did Tomas Reiner say?"
    said = "As the New Quay opened, the mayor left. Mara Oduya said so. [1]"
    assert _standalone("who is she?", "Who opened it?", said) == "who is Mara Oduya?"
    mayor = "What did the mayor of New York say?"
    assert _standalone("And what else did he say?", mayor, "Tom Reed said … [1]") == "what else did Tom Reed say?"
    assert _standalone("what did she say?", "Who is quoted?", "Mara Oduya: “…” [1]") == "what did Mara Oduya say?"


def test_an_abstention_between_leaves_the_person() -> None:
    turns = ("What did Mara Oduya say?", "She spoke. [1]", "When was she born?", "That is not stated.")
    assert _standalone("Where does she live?", *turns) == "Where does Mara Oduya live?"


def test_follow_ups_lean_on_follow_ups_and_small_talk_is_no_question() -> None:
    turns = (
        "How many countries does the train reach?",
        "26 [1]",
        "and how many cities?",
        "229 [1]",
        "thanks",
        "Welcome.",
    )
    assert _standalone("Which?", *turns) == "Which cities does the train reach?"


def test_with_nothing_before_it_a_fragment_stays_as_it_is() -> None:
    assert _standalone("and how many cities?") == "and how many cities?"
    assert _standalone("why?", "hello", "Hello.") == "why?"
    assert _standalone("go on", "hello", "Hello.") == "go on"
    assert _standalone("And?", "Who is Mara Oduya?", "x") == "And?"


def test_long_histories_and_long_messages_take_no_long_time() -> None:
    turns = (Turn("user", "it " * 33_000), Turn("assistant", "Aa " * 33_000)) * 50
    start = time.process_time()
    assert standalone(Question("why? " * 800, turns)).startswith("why? why?")
    assert len(standalone(Question("why is it so?", turns))) < 1_000
    for text in ("." * 4_000, "the " * 49, "thank you for " * 13, "please " * 26 + "x", "who is " * 25, "ok " * 60):
        assert intent(text) in Intent
    assert time.process_time() - start < 20


_WORDS = st.sampled_from(
    "and what about who is it that she her they why how many Tomas Reiner Mara one else so the cities ? , in 2024 里 🚄 ’".split()
)
_MESSAGE = st.one_of(st.lists(_WORDS, max_size=12).map(" ".join), st.text(max_size=80))


@given(_MESSAGE, st.lists(_MESSAGE, max_size=6))
def test_any_conversation_gives_one_line_that_is_the_same_each_time(text: str, before: list[str]) -> None:
    query = _standalone(text, *before)
    assert query == " ".join(query.split())
    assert bool(query) == bool(text.split())
    assert query == _standalone(text, *before)


@given(_MESSAGE)
def test_without_a_history_the_question_is_the_query(text: str) -> None:
    assert _standalone(text) == " ".join(text.split())
