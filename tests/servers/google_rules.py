"""What the Gemini API insists on, in its own words as far as programs meet them."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.servers.http import Request

DUMMY = base64.b64encode(b"skip_thought_signature_validator").decode()
"""The documented stand-in for the signature of a call that Gemini did not make."""

_PATH = re.compile(r"/v1(?:beta|alpha)?/models/([^/:]+):(?:streamG|g)enerateContent(?:\?alt=sse)?")
_TOP_FIELDS = """
    cachedContent contents generationConfig labels safetySettings serviceTier store
    systemInstruction toolConfig tools
"""
_GENERATION_FIELDS = """
    candidateCount enableEnhancedCivicAnswers frequencyPenalty logprobs maxOutputTokens
    mediaResolution presencePenalty responseJsonSchema responseLogprobs responseMimeType
    responseModalities responseSchema seed speechConfig stopSequences temperature thinkingConfig
    topK topP
"""
_THINKING_FIELDS = "includeThoughts thinkingBudget thinkingLevel"
_DATA = ("text", "functionCall", "functionResponse", "inlineData", "fileData", "executableCode")
_SCHEMA_FIELDS = """
    $anchor $defs $id $ref additionalProperties anyOf default description enum format items
    maxItems maxLength maxProperties maximum minItems minLength minProperties minimum nullable
    oneOf pattern prefixItems properties propertyOrdering required title type
"""
_FUNCTION_FIELDS = """
    name description parameters parametersJsonSchema response responseJsonSchema behavior
"""
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_CATEGORY = re.compile(r"HARM_CATEGORY_[A-Z_]+")
_THRESHOLDS = ("OFF", "BLOCK_NONE", "BLOCK_ONLY_HIGH", "BLOCK_MEDIUM_AND_ABOVE")


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer."""

    status: int
    message: str
    code: str = "INVALID_ARGUMENT"
    details: tuple[dict[str, Any], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> bytes:
        """The error object."""
        error: dict[str, Any] = {"code": self.status, "message": self.message, "status": self.code}
        if self.details:
            error["details"] = list(self.details)
        return orjson.dumps({"error": error})


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server insists on.

    Attributes:
        key: the only API key; "" takes any and none.
        context: prompt tokens at most (four characters are one); 0 is no limit.
    """

    key: str = ""
    context: int = 0

    @staticmethod
    def signs(model: str) -> bool:
        """Whether a model signs its calls and wants the signatures back."""
        return not model.startswith(("gemini-1", "gemini-2"))

    def check(self, request: Request, issued: Mapping[str, str]) -> Refusal | None:
        """What is wrong with a request, if anything.

        Args:
            issued: signatures by the key of the part that they came on.
        """
        found = _PATH.fullmatch(request.path)
        if not found or request.method != "POST":
            return Refusal(
                404, f"models/{request.path} is not found for API version v1beta", "NOT_FOUND"
            )
        given = request.headers.get("x-goog-api-key", "")
        if self.key and given != self.key:
            reason = {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
            }
            message = "API key not valid. Please pass a valid API key."
            return Refusal(400, message, details=(reason,))
        body = request.body
        if not isinstance(body, dict):
            return Refusal(400, "Invalid JSON payload received.")
        checks = itertools.chain(
            _unknown(body, _TOP_FIELDS, ""),
            _generation(body.get("generationConfig", {}), found[1]),
            _safety(body.get("safetySettings", [])),
            _tools(body.get("tools", [])),
            _contents(body.get("contents")),
            _calls(body.get("contents")),
            _signatures(body.get("contents"), issued) if self.signs(found[1]) else (),
            self._length(body),
        )
        return next(iter(checks), None)

    def _length(self, body: dict[str, Any]) -> Iterator[Refusal]:
        tokens = len(orjson.dumps(body["contents"])) // 4
        if self.context and tokens > self.context:
            yield Refusal(
                400,
                f"The input token count ({tokens}) exceeds the maximum number of tokens allowed "
                f"({self.context}).",
            )


def part_key(part: dict[str, Any]) -> str:
    """What tells one part from another: its data, ids left out."""
    call = part.get("functionCall")
    if call:
        return orjson.dumps([call["name"], call.get("args", {})]).decode()
    return orjson.dumps([part.get("text"), bool(part.get("thought"))]).decode()


def _unknown(given: Any, known: str, where: str) -> Iterator[Refusal]:
    if not isinstance(given, dict):
        yield Refusal(400, f"Invalid value at '{where}'")
        return
    for key in sorted(given.keys() - set(known.split())):
        place = f" at '{where}'" if where else ""
        text = f'Invalid JSON payload received. Unknown name "{key}"{place}: Cannot find field.'
        yield Refusal(400, text)


def _generation(config: Any, model: str) -> Iterator[Refusal]:
    yield from _unknown(config, _GENERATION_FIELDS, "generation_config")
    thinking = config.get("thinkingConfig") or {}
    yield from _unknown(thinking, _THINKING_FIELDS, "generation_config.thinking_config")
    budget, level = thinking.get("thinkingBudget"), thinking.get("thinkingLevel")
    if budget is not None and level is not None:
        yield Refusal(400, "You can only set only one of thinking budget and thinking level.")
    if thinking and model.startswith(("gemini-1", "gemini-2.0")):
        yield Refusal(
            400, "Unable to submit request because Thinking is not enabled for this model"
        )
    if level is not None and model.startswith("gemini-2"):
        yield Refusal(400, "Thinking level is not supported for this model.")
    if level not in (None, "MINIMAL", "LOW", "MEDIUM", "HIGH"):
        yield Refusal(400, f"Invalid value at 'generation_config.thinking_config': {level}")
    if budget == 0 and "pro" in model:
        yield Refusal(400, "Budget 0 is invalid. This model only works in thinking mode.")


def _safety(settings: Any) -> Iterator[Refusal]:
    for number, one in enumerate(settings):
        right = isinstance(one, dict) and _CATEGORY.fullmatch(str(one.get("category")))
        if not right or one.get("threshold") not in (*_THRESHOLDS, "BLOCK_LOW_AND_ABOVE"):
            yield Refusal(400, f"Invalid value at 'safety_settings[{number}]'")


def _tools(tools: Any) -> Iterator[Refusal]:
    names: set[str] = set()
    for number, tool in enumerate(tools):
        for place, function in enumerate(tool.get("functionDeclarations", ())):
            where = f"tools[{number}].function_declarations[{place}]"
            yield from _unknown(function, _FUNCTION_FIELDS, where)
            name = function.get("name", "")
            if not _NAME.fullmatch(name):
                yield Refusal(400, f"{where}.name: [FIELD_INVALID] Invalid function name.")
            if name in names:
                yield Refusal(400, f"Duplicate function declaration found: {name}")
            names.add(name)
            schema = function.get("parametersJsonSchema", function.get("parameters", {}))
            yield from _schema(schema, f"{where}.parameters")


def _schema(schema: Any, where: str) -> Iterator[Refusal]:
    yield from _unknown(schema, _SCHEMA_FIELDS, where)
    for name, part in (schema.get("properties") or {}).items():
        yield from _schema(part, f"{where}.properties[{name}]")
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from _schema(schema[key], f"{where}.{key}")
    for key in ("anyOf", "oneOf", "prefixItems"):
        for number, part in enumerate(schema.get(key) or ()):
            yield from _schema(part, f"{where}.{key}[{number}]")


def _contents(contents: Any) -> Iterator[Refusal]:
    if not isinstance(contents, list) or not contents:
        yield Refusal(400, "* GenerateContentRequest.contents: contents is not specified\n")
        return
    for number, content in enumerate(contents):
        where = f"GenerateContentRequest.contents[{number}]"
        if content.get("role") not in ("user", "model"):
            yield Refusal(400, "Please use a valid role: user, model.")
        parts = content.get("parts")
        if not parts:
            yield Refusal(400, f"* {where}.parts: contents.parts must not be empty.\n")
            continue
        for place, part in enumerate(parts):
            if sum(key in part for key in _DATA) != 1:
                text = "required oneof field 'data' must have one initialized field"
                yield Refusal(400, f"* {where}.parts[{place}].data: {text}\n")


def _calls(contents: Any) -> Iterator[Refusal]:
    """Calls and their results: who follows whom, how many, which."""
    before: dict[str, Any] = {"role": "", "parts": []}
    for content in [*contents, {"role": "user", "parts": []}]:
        asked = [p["functionCall"] for p in before["parts"] if "functionCall" in p]
        given = [p["functionResponse"] for p in content["parts"] if "functionResponse" in p]
        if given and not asked:
            yield Refusal(
                400,
                "Please ensure that function response turn comes immediately after a function "
                "call turn.",
            )
        if len(given) != len(asked):
            yield Refusal(
                400,
                "Please ensure that the number of function response parts is equal to the number "
                "of function call parts of the function call turn.",
            )
        elif [_pair(one) for one in given] != [_pair(one) for one in asked]:
            yield Refusal(400, "Function responses do not match the function calls.")
        calls = any("functionCall" in part for part in content["parts"])
        if calls and (content["role"] != "model" or before["role"] != "user"):
            yield Refusal(
                400,
                "Please ensure that function call turn comes immediately after a user turn or "
                "after a function response turn.",
            )
        for one in asked:
            if not _NAME.fullmatch(one.get("name", "")):
                yield Refusal(400, f"Invalid function name: {one.get('name')!r}.")
        before = content


def _pair(part: dict[str, Any]) -> tuple[Any, Any]:
    return part.get("name"), part.get("id")


def _signatures(contents: Any, issued: Mapping[str, str]) -> Iterator[Refusal]:
    """Each signature on the part that it was issued for, and one on the first call of each step."""
    for number, content in enumerate(contents):
        first = True
        for part in content["parts"]:
            signature = part.get("thoughtSignature")
            if signature not in (None, DUMMY) and issued.get(signature) != part_key(part):
                yield Refusal(400, "Invalid thought signature.")
            if "functionCall" in part:
                if first and signature is None:
                    name = part["functionCall"]["name"]
                    yield Refusal(
                        400,
                        "Function call is missing a thought_signature in functionCall parts. This "
                        "is required for tools to work correctly, and missing thought_signature "
                        "may lead to degraded model performance. Additional data, function call "
                        f"`default_api:{name}` , position {number + 1}. Please refer to "
                        "https://ai.google.dev/gemini-api/docs/thought-signatures for more "
                        "details.",
                    )
                first = False
