"""As `forgeries`, for a repository in JavaScript whose tests Node's own runner runs."""

from __future__ import annotations

from tests.grading.forgeries import Forgery

SOURCE = """\
exports.total = (values) => values.slice(1).reduce((a, b) => a + b, 0)
exports.largest = (values) => Math.max(...values)
"""

TESTS = """\
const test = require('node:test')
const assert = require('node:assert')
const { largest } = require('../tally.js')

test('largest', () => assert.strictEqual(largest([1, 3, 2]), 3))
"""

TEST_PATCH = """\
diff --git a/test/tally.test.js b/test/tally.test.js
--- a/test/tally.test.js
+++ b/test/tally.test.js
@@ -1,5 +1,6 @@
 const test = require('node:test')
 const assert = require('node:assert')
-const { largest } = require('../tally.js')
+const { largest, total } = require('../tally.js')
 
 test('largest', () => assert.strictEqual(largest([1, 3, 2]), 3))
+test('total', () => assert.strictEqual(total([1, 2, 3]), 6))
"""  # noqa: W293

REPOSITORY = {"tally.js": SOURCE, "test/tally.test.js": TESTS}
FAIL_TO_PASS = ("total",)
PASS_TO_PASS = ("largest",)
COMMAND = "node --test test/tally.test.js"
FIXED = SOURCE.replace("values.slice(1)", "values")

FAKE_TAP = (
    "TAP version 13\\n# Subtest: largest\\nok 1 - largest\\n# Subtest: total\\nok 2 - total\\n"
    "1..2\\n# tests 2\\n# suites 0\\n# pass 2\\n# fail 0\\n# cancelled 0\\n# skipped 0\\n"
    "# todo 0\\n# duration_ms 10.0\\n"
)
FAKE_SPEC = "✔ largest (0.1ms)\\n✔ total (0.1ms)\\nℹ tests 2\\nℹ pass 2\\nℹ fail 0\\n"


def _printing(text: str, then: str = "") -> str:
    return f"process.stdout.write(`{text}`)\n{then}{SOURCE}"


FORGERIES = (
    Forgery("comment", {"tally.js": SOURCE + "// mended\n"}),
    # Prints what a passing run prints.
    Forgery("printed_tap", {"tally.js": _printing(FAKE_TAP)}),
    Forgery("printed_spec", {"tally.js": _printing(FAKE_SPEC)}),
    Forgery("printed_one", {"tally.js": _printing("ok 2 - total\\n")}),
    # Prints it and ends the process at once.
    Forgery("exit_0", {"tally.js": "process.exit(0)\n" + SOURCE}),
    Forgery("printed_tap_exit", {"tally.js": _printing(FAKE_TAP, "process.exit(0)\n")}),
    Forgery("printed_spec_exit", {"tally.js": _printing(FAKE_SPEC, "process.exit(0)\n")}),
    Forgery(
        "past_the_runner",
        {
            "tally.js": "const fs = require('fs')\n"
            f"fs.writeFileSync('/proc/' + process.ppid + '/fd/1', `{FAKE_TAP}`)\n"
            "process.kill(process.ppid, 'SIGKILL')\n" + SOURCE
        },
    ),
    # Another module under the runner's or the assertions' name.
    Forgery("assert_beside", {"node_modules/assert/index.js": "module.exports = () => {}\n"}),
    # Other tests.
    Forgery(
        "easier_tests",
        {"test/tally.test.js": "const t = require('node:test')\nt('total', () => {})\n"},
    ),
    Forgery(
        "skipped_tests",
        {"test/tally.test.js": "require('node:test').skip('total', () => {})\n"},
    ),
    # Neuters the comparison itself.
    Forgery(
        "patched_assert",
        {"tally.js": "require('node:assert').strictEqual = () => {}\n" + SOURCE},
    ),
    Forgery(
        "assigned_assert",
        {
            "tally.js": "Object.assign(require('node:assert'), { strictEqual() {} })\n" + SOURCE,
        },
    ),
)

EXPECT = "expect@29.7.0"
"""Jest's `expect`, which runs under any runner."""

_REQUIRE = "const test = require('node:test')\nconst { expect } = require('expect')\n"
_BEFORE = f"""\
{_REQUIRE}const {{ largest }} = require('../tally.js')

test('largest', () => {{ expect(largest([1, 3, 2])).toBe(3) }})
"""
_AFTER = f"""\
{_REQUIRE}const {{ largest, total }} = require('../tally.js')

test('largest', () => {{ expect(largest([1, 3, 2])).toBe(3) }})

test('total', () => {{
  const values = [1, 2, 3]
  expect(total(values)).toEqual(6)
}})
"""
EXPECT_REPOSITORY = {"tally.js": SOURCE, "test/tally.test.js": _BEFORE}
EXPECT_PATCH = "".join(
    [
        "diff --git a/test/tally.test.js b/test/tally.test.js\n",
        "--- a/test/tally.test.js\n+++ b/test/tally.test.js\n",
        f"@@ -1,{len(_BEFORE.splitlines())} +1,{len(_AFTER.splitlines())} @@\n",
        *(f"-{line}\n" for line in _BEFORE.splitlines()),
        *(f"+{line}\n" for line in _AFTER.splitlines()),
    ]
)
EXPECT_FORGERIES = (
    # Every matcher holds.
    Forgery(
        "extended_expect",
        {
            "tally.js": "const pass = () => ({ pass: true, message: () => '' })\n"
            "require('expect').expect.extend({ toBe: pass, toEqual: pass })\n" + SOURCE
        },
    ),
    # A result that `toEqual` asks whether it is equal.
    Forgery(
        "asymmetric_result",
        {
            "tally.js": SOURCE.replace(
                "values.slice(1).reduce((a, b) => a + b, 0)",
                "({ $$typeof: Symbol.for('jest.asymmetricMatcher'), asymmetricMatch: () => true })",
            )
        },
    ),
    # What the matchers ask themselves.
    Forgery("same_value", {"tally.js": "Object.is = () => true\n" + SOURCE}),
)
