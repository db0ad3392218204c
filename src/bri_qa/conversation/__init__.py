"""What a message asks for, and a follow-up made into a query that stands on its own. Plain words, no model."""

from bri_qa.conversation.followup import standalone
from bri_qa.conversation.intent import SMALL_TALK, Intent, intent
from bri_qa.conversation.named import doubted
from bri_qa.conversation.parts import Asked, parts
from bri_qa.conversation.pointed import pointed
from bri_qa.conversation.rewriting import ModelRewriter

__all__ = ["SMALL_TALK", "Asked", "Intent", "ModelRewriter", "doubted", "intent", "parts", "pointed", "standalone"]
