"""The sections of config.toml as types. Each key's meaning is the string under it.

Sections are frozen and refuse unknown keys. VeloraHarness's keys keep their names and meaning;
those of its keys that make no sense here are in `effects.WITHOUT_EFFECT`.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    field_validator,
)

from velora.config.size import parse_size


class Section(BaseModel):
    """A section of config.toml."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, protected_namespaces=()
    )


class LLMSettings(Section):
    """`[llm]` and `[llm.NAME]`; NAME inherits what it does not set from `[llm]`."""

    model: str = ""
    """The model: `gpt-4o`, `anthropic/NAME`, `gemini/NAME`, `bedrock/NAME`, `openai/NAME` with
    `base_url`, ..., `scripted:FILE.yaml` or `replay:JOURNAL`."""
    api_key: SecretStr | None = None
    """The key itself; `"${VAR}"` reads it from the environment. Prefer `api_key_env`."""
    api_key_env: str = ""
    """The environment variable that holds the key."""
    api_keys: tuple[SecretStr, ...] = ()
    """Several keys for the same model, in place of one; calls go to the one with room."""
    base_url: str = ""
    """The endpoint; of an OpenAI-compatible server up to and including `/v1`."""
    api_mode: Literal["auto", "chat", "responses"] = "auto"
    """Which of OpenAI's two APIs to speak; `auto` decides by the model."""
    api_version: str = ""
    """Azure's API version."""
    aws_region_name: str = ""
    """Bedrock's region; AWS's own configuration decides if empty."""
    aws_access_key_id: SecretStr | None = None
    """Bedrock's access key; AWS's own configuration decides if unset."""
    aws_secret_access_key: SecretStr | None = None
    """The secret that belongs to `aws_access_key_id`."""
    custom_llm_provider: str = ""
    """The provider's name where the model's name does not tell it."""
    num_retries: NonNegativeInt = 8
    """Tries after the first failed one."""
    retry_min_wait: NonNegativeFloat = 8.0
    """Seconds before the first retry."""
    retry_max_wait: NonNegativeFloat = 120.0
    """Seconds at most between two tries; a `Retry-After` header may ask for more."""
    retry_multiplier: NonNegativeFloat = 2.0
    """How much longer each wait is than the one before."""
    timeout: PositiveFloat = 7200.0
    """Seconds for one whole answer."""
    idle_timeout: PositiveFloat = 300.0
    """Seconds without a byte from the provider before the connection is given up."""
    temperature: float | None = None
    """Sampling temperature; the provider's default if unset."""
    top_p: float | None = None
    """Nucleus sampling; the provider's default if unset."""
    top_k: int | None = None
    """Top-k sampling where the provider has it."""
    seed: int | None = None
    """The sampling seed where the provider has it."""
    max_input_tokens: PositiveInt | None = None
    """The context window, where it is smaller or better known than the model table's."""
    max_output_tokens: PositiveInt | None = None
    """The longest answer; clamped to the model's own limit with a notice."""
    input_cost_per_token: NonNegativeFloat | None = None
    """US dollars, where the price table does not know the model."""
    output_cost_per_token: NonNegativeFloat | None = None
    """US dollars, where the price table does not know the model."""
    cache_read_input_token_cost: NonNegativeFloat | None = None
    """US dollars for a prompt token read from the provider's cache; as any other if unset."""
    cache_creation_input_token_cost: NonNegativeFloat | None = None
    """US dollars for a prompt token written to the provider's cache; as any other if unset."""
    rpm: PositiveInt | None = None
    """Requests a minute that each key allows; unset learns from the provider's refusals."""
    tpm: PositiveInt | None = None
    """Tokens a minute that each key allows; unset learns from the provider's refusals."""
    max_concurrency: PositiveInt | None = None
    """Requests at once with each key; unset learns from the provider's refusals."""
    outage_wait: NonNegativeFloat = 3600.0
    """Seconds that a run waits for a provider that is down before attempts fail for it."""
    caching_prompt: bool = True
    """Mark what the provider may keep of a prompt, where it wants that marked."""
    disable_vision: bool = False
    """Show the model no images, even if it sees."""
    reasoning_effort: str | None = None
    """`minimal`, `low`, `medium`, `high` or `xhigh`, where the model reasons."""
    native_tool_calling: bool | None = None
    """Use the provider's tool calls; unset lets the model's profile decide."""
    completion_kwargs: dict[str, Any] = {}
    """Further fields of the request body, passed on as they are."""
    extra_headers: dict[str, str] = {}
    """Further HTTP headers of each request."""
    log_completions: bool = True
    """Write `llm_completions/`."""


class AgentSettings(Section):
    """`[agent]` and `[agent.NAME]`."""

    llm_config: str = ""
    """The `[llm.NAME]` to use where the command line names none."""
    condenser: str = ""
    """The `[condenser.NAME]` to use where the command line names none."""
    enable_cmd: bool = True
    """Offer `execute_bash`."""
    enable_editor: bool = True
    """Offer `str_replace_editor`."""
    enable_think: bool = True
    """Offer `think`."""
    enable_finish: bool = True
    """Offer `finish`."""
    enable_plan_mode: bool = True
    """Offer `task_tracker`."""
    enable_jupyter: bool = False
    """Offer `execute_ipython_cell`, where the image has a Python."""
    enable_condensation_request: bool = False
    """Offer `request_condensation`."""
    enable_mcp: bool = True
    """Offer the tools of the servers that `[mcp]` names."""
    enable_history_truncation: bool = True
    """Shorten a history that no longer fits the model's window, whatever the condenser; otherwise
    the attempt ends as `context_overflow`."""
    enable_stuck_detection: bool = True
    """End an attempt that goes round in circles as `stuck`, after one nudge."""
    stuck_same_step: PositiveInt = 4
    """Equal calls with equal observations in a row that count as stuck."""
    stuck_same_error: PositiveInt = 3
    """Equal calls in a row that fail that count as stuck."""
    stuck_same_message: PositiveInt = 3
    """Equal answers without a call in a row that count as stuck."""
    stuck_alternating: PositiveInt = 6
    """Steps of two that take turns that count as stuck."""
    stuck_overflows: PositiveInt = 10
    """Context overflows in a row that count as stuck."""
    tools_file: str = ""
    """A YAML file with other descriptions of the tools and their parameters."""
    system_prompt_filename: str = ""
    """A Jinja2 file in place of the built-in system prompt."""
    instruction_template: str = ""
    """A Jinja2 file in place of the built-in task prompt."""
    max_nudges: NonNegativeInt = 3
    """Answers without a tool call in a row that are answered with a nudge; one more ends the
    attempt as `no_action`."""


class SandboxSettings(Section):
    """`[sandbox]`."""

    backend: Literal["auto", "docker", "podman", "bubblewrap", "host", "fake"] = "auto"
    """Where tasks run; `auto` is Docker or Podman where an engine answers."""
    timeout: PositiveFloat = 600.0
    """Seconds that one command of the agent may take (hard limit)."""
    no_change_timeout: PositiveFloat = 30.0
    """Seconds without new output after which a command is handed back still running."""
    max_output_chars: PositiveInt = 30_000
    """Characters of one observation; the middle of longer ones is left out."""
    start_timeout: PositiveFloat = 120.0
    """Seconds that a container may take to start."""
    use_host_network: bool = False
    """Give the container the machine's network; the default is none at all."""
    platform: str = ""
    """As `linux/amd64`; the image's own if empty."""
    user: str = ""
    """The user in the container; the image's own if empty."""
    memory: str = "8g"
    """Memory limit, as `512m` or `8g`; `0` is none."""
    cpus: NonNegativeFloat = 0.0
    """CPU limit; 0 is none."""
    pids: NonNegativeInt = 4096
    """Process limit; 0 is none."""
    runtime_startup_env_vars: dict[str, str] = {}
    """Environment variables set in every sandbox."""
    keep_runtime_alive: bool = False
    """Leave containers of finished attempts running, for a look inside."""

    @field_validator("memory")
    @classmethod
    def _is_size(cls, text: str) -> str:
        parse_size(text)
        return text


class CondenserSettings(Section):
    """`[condenser]` and `[condenser.NAME]`. An event is an answer with all its observations."""

    type: Literal["noop", "recent", "observation_masking", "llm", "pipeline"] = "noop"
    """How a long history is shortened."""
    keep_first: NonNegativeInt = 1
    """Events at the start that are kept, the task not counted."""
    max_events: PositiveInt = 100
    """`recent`: events kept at most; a quarter of them is left out at once."""
    attention_window: PositiveInt = 100
    """`observation_masking`: the last events whose observations are shown, and up to a quarter
    more, so that not each new one changes what was sent before."""
    max_size: PositiveInt = 100
    """`llm`: events from which on the older half is summed up."""
    max_event_length: PositiveInt = 10_000
    """`llm`: characters of each event that the summary is made from."""
    llm_config: str = ""
    """`llm`: the `[llm.NAME]` that writes the summary; the agent's own model if empty."""
    condensers: tuple[str, ...] = ()
    """`pipeline`: names of `[condenser.NAME]` sections, applied in order."""
    trigger: PositiveFloat = 0.75
    """The part of the model's context window from which on any condenser but `noop` works."""

    @field_validator("type", mode="before")
    @classmethod
    def _is_offered(cls, name: Any) -> Any:
        if name == "conversation_window":
            return "recent"
        if isinstance(name, str) and (instead := _INSTEAD.get(name)):
            raise ValueError(f"there is no condenser '{name}' here; '{instead}' comes nearest")
        return name


_INSTEAD = {
    "amortized": "recent",
    "browser_output_masking": "observation_masking",
    "llm_attention": "llm",
    "structured": "llm",
}
"""VeloraHarness's condensers that there are none of, and what to use in their place."""


class RunSettings(Section):
    """`[run]`: what the command line can also say."""

    max_retries: NonNegativeInt = 3
    """New attempts after one that ended for no fault of the model."""
    attempt_timeout: PositiveFloat = 7200.0
    """Seconds of wall time for one attempt, grading left out."""
    max_budget_per_task: PositiveFloat | None = None
    """US dollars for one attempt."""
    max_budget: PositiveFloat | None = None
    """US dollars for the whole run, everything ever paid in its directory included."""
    resume: Literal["continue", "restart"] = "continue"
    """An attempt that was cut off goes on where it stood, or a new one starts in its place."""
    num_workers: PositiveInt = 4
    """Attempts at once."""
    attempts: PositiveInt = 1
    """Independent attempts at each instance."""
    use_hints: bool = False
    """Put the row's `hints_text` into the prompt."""

    @property
    def smallest_budget(self) -> float | None:
        """The smaller of the two budgets; None where there is none."""
        caps = (self.max_budget, self.max_budget_per_task)
        return min((cap for cap in caps if cap is not None), default=None)


class EvaluationSettings(Section):
    """`[evaluation]`."""

    timeout: PositiveFloat = 1800.0
    """Seconds for the test command."""
    network: bool = False
    """Let the tests use the network."""
    num_workers: NonNegativeInt = 0
    """Gradings at once; 0 is the number of CPUs."""
    reports: bool = True
    """Ask the test frameworks for machine-readable reports, by environment variables alone, and
    let them confirm the log."""
    quarantine: str = ""
    """The file of `velora validate` that says which instances and tests are unsound."""


class McpServer(Section):
    """One server of `[mcp]`: a program of this machine's (`command`) or an address (`url`)."""

    name: str = ""
    """What it is called in messages, and before names of tools that would not be unique."""
    command: str = ""
    """The program; it speaks over its standard input and output."""
    args: tuple[str, ...] = ()
    """The program's arguments."""
    env: dict[str, str] = {}
    """Variables added to the program's environment."""
    url: str = ""
    """The server's address."""
    api_key: SecretStr | None = None
    """Sent as a bearer token."""
    headers: dict[str, str] = {}
    """Further HTTP headers."""
    timeout: PositiveFloat = 60.0
    """Seconds for one call."""


class McpSettings(Section):
    """`[mcp]`: servers whose tools the agent gets beside its own. They run outside the sandbox."""

    stdio_servers: tuple[McpServer, ...] = ()
    """Programs: `name`, `command`, `args`, `env`."""
    shttp_servers: tuple[McpServer | str, ...] = ()
    """Addresses that speak streamable HTTP: `url`, `api_key`, or the URL alone."""
    sse_servers: tuple[McpServer | str, ...] = ()
    """Addresses that speak server-sent events: `url`, `api_key`, or the URL alone."""


class CoreSettings(Section):
    """`[core]`."""

    max_iterations: PositiveInt = 300
    """Answers of the model before an attempt ends as `max_iterations`."""
    default_agent: str = "CodeActAgent"
    """The agent where the command line names none."""


class Settings(Section):
    """A whole configuration, resolved: one LLM, one agent."""

    llm_name: str = ""
    """The `[llm.NAME]` that `llm` is; "" is `[llm]`."""
    agent_name: str = ""
    """The `[agent.NAME]` that `agent` is; "" is `[agent]`."""
    condenser_name: str = ""
    """The `[condenser.NAME]` that `condenser` is; "" is `[condenser]`."""
    llm: LLMSettings = LLMSettings()
    agent: AgentSettings = AgentSettings()
    sandbox: SandboxSettings = SandboxSettings()
    condenser: CondenserSettings = CondenserSettings()
    mcp: McpSettings = McpSettings()
    condensers: dict[str, CondenserSettings] = {}
    """The `[condenser.NAME]` that a pipeline names, by name."""
    condenser_llms: dict[str, LLMSettings] = {}
    """The `[llm.NAME]` that write summaries, by name; `llm` is `[llm]`."""
    core: CoreSettings = CoreSettings()
    run: RunSettings = RunSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
