"""Keys and sections of VeloraHarness's config.toml that have no effect here, and why.

They are accepted, so that its files can be used as they are, and each is reported once.
"""

from __future__ import annotations

_IMAGE = "the task image is used as it is"
_NO_SERVER = "no server runs in the container"
_LOCAL = "tasks run on this machine's engine"
_NO_BROWSER = "there is no browser tool"
_RUN_DIR = "everything of a run lies in its output directory"
_WORKDIR = "the working directory is the repository's own, found in the task image"
_ENDPOINT = "only OpenAI-compatible endpoints are offered so far"
_NO_WEB = "there is no interactive server"
_LIMITS = "memory, cpus and pids in [sandbox] set the limits"

WITHOUT_EFFECT: dict[str, dict[str, str]] = {
    "core": {
        "cache_dir": _RUN_DIR,
        "cli_multiline_input": _NO_WEB,
        "conversation_max_age_seconds": _NO_WEB,
        "debug": "the journal holds everything that happens",
        "disable_color": "the environment variable NO_COLOR does it",
        "enable_browser": _NO_BROWSER,
        "enable_default_condenser": "[condenser] chooses one",
        "file_store": _RUN_DIR,
        "file_store_path": _RUN_DIR,
        "file_store_web_hook_headers": _RUN_DIR,
        "file_store_web_hook_url": _RUN_DIR,
        "file_uploads_allowed_extensions": _NO_WEB,
        "file_uploads_max_file_size_mb": _NO_WEB,
        "file_uploads_restrict_file_types": _NO_WEB,
        "git_user_email": "nothing is committed in the repository",
        "git_user_name": "nothing is committed in the repository",
        "init_git_in_empty_workspace": _WORKDIR,
        "jwt_secret": _NO_WEB,
        "max_concurrent_conversations": "num_workers in [run] says how many attempts run at once",
        "mcp_host": "there are no MCP tools",
        "replay_trajectory_path": "a model named `replay:JOURNAL` replays a recorded attempt",
        "run_as_openhands": "commands run as the image's user, or as user in [sandbox]",
        "runtime": "backend in [sandbox] says where tasks run",
        "save_screenshots_in_trajectory": _NO_BROWSER,
        "save_trajectory_path": _RUN_DIR,
        "search_api_key": "there is no search tool",
        "vscode_port": _NO_SERVER,
        "workspace_base": _WORKDIR,
        "workspace_mount_path": _WORKDIR,
        "workspace_mount_path_in_sandbox": _WORKDIR,
        "workspace_mount_rewrite": _WORKDIR,
    },
    "llm": {
        "correct_num": "it belongs to a model router, which there is none of",
        "custom_tokenizer": "token counts are the provider's",
        "disable_stop_word": "no stop words are sent",
        "drop_params": "only parameters that are set are sent",
        "for_routing": "there is no model router",
        "log_completions_folder": _RUN_DIR,
        "max_message_chars": "max_output_chars in [sandbox] limits an observation",
        "modify_params": "parameters are sent as they are set",
        "ollama_base_url": "base_url names the endpoint, for Ollama too",
        "openrouter_app_name": "extra_headers sets HTTP headers",
        "openrouter_site_url": "extra_headers sets HTTP headers",
        "safety_settings": _ENDPOINT,
    },
    "agent": {
        "classpath": "agents are chosen by name",
        "cli_mode": "there is no interactive mode",
        "disabled_microagents": "there are no microagents",
        "enable_browsing": _NO_BROWSER,
        "enable_llm_editor": "str_replace_editor is the one editor",
        "enable_prompt_extensions": "nothing is added to the prompt",
        "enable_som_visual_browsing": _NO_BROWSER,
        "model_routing": "there is no model router",
    },
    "sandbox": {
        "additional_networks": "the container has no network, or the machine's with "
        "use_host_network",
        "api_key": _LOCAL,
        "base_container_image": _IMAGE,
        "browsergym_eval_env": _NO_BROWSER,
        "close_delay": "a container is removed as soon as its attempt has ended",
        "cuda_visible_devices": "the container has no GPU",
        "docker_runtime_kwargs": _LIMITS,
        "enable_auto_lint": "the editor does not lint",
        "enable_gpu": "the container has no GPU",
        "force_rebuild_runtime": _IMAGE,
        "initialize_plugins": "nothing is installed in the container",
        "local_runtime_url": _NO_SERVER,
        "pause_closed_runtimes": "a container is removed as soon as its attempt has ended",
        "remote_runtime_api_timeout": _LOCAL,
        "remote_runtime_api_url": _LOCAL,
        "remote_runtime_class": _LOCAL,
        "remote_runtime_enable_retries": _LOCAL,
        "remote_runtime_init_timeout": _LOCAL,
        "remote_runtime_resource_factor": _LIMITS,
        "rm_all_containers": "only the run's own containers are removed, and always",
        "runtime_binding_address": _NO_SERVER,
        "runtime_container_image": _IMAGE,
        "runtime_extra_build_args": _IMAGE,
        "runtime_extra_deps": _IMAGE,
        "selected_repo": _WORKDIR,
        "trusted_dirs": _WORKDIR,
        "user_id": "commands run as the image's user, or as user in [sandbox]",
        "volumes": "nothing of this machine is mounted into the container",
        "vscode_port": _NO_SERVER,
    },
    "condenser": {},
    "mcp": {},
    "run": {},
    "evaluation": {},
}

SECTIONS_WITHOUT_EFFECT: dict[str, str] = {
    "cli": "there is no interactive mode",
    "extended": "it holds other programs' keys",
    "kubernetes": _LOCAL,
    "model_routing": "there is no model router",
    "security": "the sandbox is the boundary; no action waits for a confirmation",
}
