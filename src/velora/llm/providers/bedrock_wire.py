"""The HTTP side of Bedrock's ConverseStream: botocore's formats over our own client.

boto3's own client blocks a thread for the whole of each answer. Here botocore says where the
endpoint is, writes the request, signs it and cuts the event stream into events; the bytes go
through the same asynchronous client as every other provider's, so that a hundred answers at once
need no thread, and a connection without a byte for `idle_timeout` is given up.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import boto3
import httpx2
import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.eventstream import EventStreamBuffer, ParserError
from botocore.exceptions import BotoCoreError, NoRegionError
from botocore.serialize import create_serializer

from velora.config.settings import LLMSettings
from velora.errors import UsageError
from velora.llm.failures import Failure, retry_after
from velora.llm.providers.http import describe, encodable, failures, http_client
from velora.llm.statuses import status_of


class Endpoint:
    """Bedrock's runtime in one region.

    Args:
        settings: `aws_*`, `base_url` (an endpoint of its own), `idle_timeout`.
        key: a Bedrock API key; "" signs with AWS credentials.

    Attributes:
        client: boto3's, for what it knows; it sends nothing.

    Raises:
        UsageError: no region, or no credentials.
    """

    def __init__(self, settings: LLMSettings, key: str) -> None:
        known, secret = settings.aws_access_key_id, settings.aws_secret_access_key
        session = boto3.Session(
            aws_access_key_id=known.get_secret_value() if known else None,
            aws_secret_access_key=secret.get_secret_value() if secret else None,
            region_name=settings.aws_region_name or None,
        )
        try:
            self.client: Any = session.client(
                "bedrock-runtime",
                endpoint_url=settings.base_url or None,
                config=Config(retries={"total_max_attempts": 1}),
            )
        except NoRegionError:
            hint = "set aws_region_name, or the environment variable AWS_REGION"
            raise UsageError("no AWS region for Bedrock", where="[llm]", hint=hint) from None
        self._key = key
        self._credentials = session.get_credentials()
        if not key and self._credentials is None:
            hint = "set aws_access_key_id and aws_secret_access_key, or configure AWS's own way"
            raise UsageError("no AWS credentials for Bedrock", where="[llm]", hint=hint)
        self._operation = self.client.meta.service_model.operation_model("ConverseStream")
        self._serializer = create_serializer("rest-json")
        self._url = str(self.client.meta.endpoint_url).rstrip("/")
        self._http = http_client(self._url, settings.idle_timeout)

    async def send(self, params: dict[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        """Send one request and wait for the whole answer.

        Args:
            params: as for boto3's `converse`.
            headers: further ones.

        Returns:
            What boto3's `converse` would, but that a call's input is text.

        Raises:
            Failure: there is no answer, or the answer is an error.
        """
        request = await self._request(params, headers)
        if b"\\ud" in request.data and not _is_readable(request.data):
            request = await self._request(encodable(params), headers)
        with failures():
            async with self._http.stream(
                request.method, request.url, content=request.data, headers=dict(request.headers)
            ) as answer:
                if answer.status_code != 200:
                    raise _refusal(answer, await answer.aread())
                assembler = Assembler()
                async for data in answer.aiter_bytes():
                    assembler.feed(data)
        whole = assembler.result()
        whole["ResponseMetadata"] = {"RequestId": answer.headers.get("x-amzn-requestid", "")}
        return whole

    async def _request(self, params: dict[str, Any], headers: Mapping[str, str]) -> AWSRequest:
        made = self._serializer.serialize_to_request(params, self._operation)
        request = AWSRequest(
            made["method"],
            self._url + quote(made["url_path"], safe="/%"),
            {
                "Content-Type": "application/json",
                "Accept": "application/vnd.amazon.eventstream",
                **headers,
            },
            made["body"],
        )
        if self._key:
            request.headers["Authorization"] = f"Bearer {self._key}"
            return request
        try:
            # Credentials that expire are fetched anew over the network.
            credentials = await asyncio.to_thread(self._credentials.get_frozen_credentials)
        except BotoCoreError as error:
            raise Failure(f"no AWS credentials: {error}", status=401) from None
        SigV4Auth(credentials, "bedrock", self.client.meta.region_name).add_auth(request)
        return request

    async def close(self) -> None:
        """Release connections."""
        await self._http.aclose()
        self.client.close()


def _is_readable(body: bytes) -> bool:
    """Whether JSON holds no half of a surrogate pair."""
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return True


def _refusal(answer: httpx2.Response, body: bytes) -> Failure:
    code = answer.headers.get("x-amzn-errortype", "").partition(":")[0]
    try:
        data = orjson.loads(body)
        text = data.get("message") or data.get("Message")
    except (orjson.JSONDecodeError, AttributeError):
        text = body.decode(errors="replace").strip()
    return Failure(
        text or "no explanation given",
        status=status_of(code) or answer.status_code,
        code=code,
        retry_after=retry_after(answer.headers),
    )


class Assembler:
    """Takes the bytes of an event stream as they come; `result` is the answer."""

    def __init__(self) -> None:
        self._buffer = EventStreamBuffer()
        self._blocks: dict[int, dict[str, Any]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}
        self._stop = ""
        self._begun = False
        self._usage: dict[str, Any] = {}

    def feed(self, data: bytes) -> None:
        """Take some bytes, cut anywhere.

        Raises:
            Failure: an event is an exception, or is not built as one.
        """
        self._buffer.add_data(data)
        try:
            for message in self._buffer:
                self._event(message.headers, message.payload)
        except (ParserError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
            raise Failure(f"the answer is no event stream: {describe(error)}") from None

    def _event(self, headers: Mapping[str, Any], payload: bytes) -> None:
        body = orjson.loads(payload) if payload else {}
        if headers.get(":message-type") in ("exception", "error"):
            code = headers.get(":exception-type") or headers.get(":error-code") or ""
            text = body.get("message") or headers.get(":error-message") or code
            raise Failure(text, status=status_of(code) or 500, code=code)
        match headers.get(":event-type"):
            case "messageStart":
                self._begun = True
            case "contentBlockStart":
                start = body["start"].get("toolUse")
                self._block(body["contentBlockIndex"]).update({"toolUse": start} if start else {})
            case "contentBlockDelta":
                self._delta(body["contentBlockIndex"], body["delta"])
            case "messageStop":
                self._stop = body["stopReason"]
            case "metadata":
                self._usage = body.get("usage") or {}

    def _block(self, index: int) -> dict[str, Any]:
        return self._blocks.setdefault(index, {})

    def _delta(self, index: int, delta: dict[str, Any]) -> None:
        block = self._block(index)
        if "toolUse" in delta:
            self._add(index, "input", delta["toolUse"].get("input", ""))
        elif "text" in delta:
            self._add(index, "text", delta["text"])
        elif thought := delta.get("reasoningContent"):
            if "redactedContent" in thought:
                block["redacted"] = base64.b64decode(thought["redactedContent"])
            for name in ("text", "signature"):
                if name in thought:
                    self._add(index, f"thought {name}", thought[name])

    def _add(self, index: int, name: str, text: str) -> None:
        self._pieces.setdefault((index, name), []).append(text)

    def result(self) -> dict[str, Any]:
        """The answer.

        Raises:
            Failure: the stream ended before the answer did, or held none.
        """
        if not self._begun:
            raise Failure("the stream ended without an answer")
        if not self._stop:
            raise Failure("the stream was cut before the answer's end")
        content = [self._content(index) for index in sorted({*self._blocks})]
        usage = {"inputTokens": 0, "outputTokens": 0, "totalTokens": 0, **self._usage}
        return {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": self._stop,
            "usage": usage,
        }

    def _content(self, index: int) -> dict[str, Any]:
        def joined(name: str) -> str:
            return "".join(self._pieces.get((index, name), ()))

        block = self._blocks[index]
        if call := block.get("toolUse"):
            return {"toolUse": {**call, "input": joined("input") or "{}"}}
        if "redacted" in block:
            return {"reasoningContent": {"redactedContent": block["redacted"]}}
        if (index, "thought text") in self._pieces or (index, "thought signature") in self._pieces:
            thought = {"text": joined("thought text"), "signature": joined("thought signature")}
            return {"reasoningContent": {"reasoningText": thought}}
        return {"text": joined("text")}
