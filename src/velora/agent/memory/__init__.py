"""What the model is shown of a long conversation: condensers, and the last resort behind them.

| module | what it does |
| --- | --- |
| `protocol` | what a condenser is |
| `view` | the conversation as a condenser sees it: steps, and estimated tokens |
| `gauge` | the running estimate, kept true by what the provider counts |
| `noop`, `recent`, `masking`, `llm`, `pipeline` | one condenser each, by `[condenser.NAME] type` |
| `truncation` | the shortening that always works |
| `room` | what the loop calls: room before a request, and after one that was refused |
| `build` | from settings to a condenser |

A condenser works on whole *steps*: an answer with all that followed it, observations and nudges. So
each call keeps its result, and a provider's record of an answer stays as it came. It changes
nothing itself: it makes a `Condensed` event, the loop's state applies it, and
`journal.conversation.shown` says what the event means. Between two such events a request begins
with all of the one before, so that a provider's prompt cache stays valid.
"""
