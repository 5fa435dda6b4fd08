"""Lines as the parsers of `reference_rules` meet them, for logs that Hypothesis makes."""

from __future__ import annotations

from hypothesis import strategies as st

DASHES, EQUALS = "-" * 70, "=" * 70

LINES = r"""
PASSED tests/a.py::test_a
PASSED tests/a.py::test_b[mol per l]
PASSED tests/a.py::test_b[t[5m]
PASSED tests/a.py::test_b[/usr/share/x.txt]
PASSED tests/a.py::test_b[//usr]
PASSED tests/a.py::test_c[MouseButton.LEFT]
FAILED tests/a.py::test_a - assert 1 == 2
FAILED
FAILED tests/a.py::test_b[a - b] - ValueError
ERROR tests/a.py - ImportError
ERRORS are many
PASSED: nothing
SKIPPED [1] tests/a.py:3: not here
XFAIL tests/a.py::test_x - reason
XPASS tests/a.py::test_y
tests/a.py::test_a PASSED [ 10%]
tests/a.py::test_a PASSED
tests/a.py::test_a FAILED
one two three PASSED
[gw1] PASSED tests/a.py::test_a
[gw12] FAILED tests/a.py::test_a
testmypy/x.py::Suite::testA PASSED
test_a (mod.C) ... ok
test_a (mod.C.test_a) ... ok
test_a (mod.C) ... FAIL
test_a (mod.C) ... ERROR
test_a (mod.C) ... skipped 'why'
test_a (mod.C)
test_b (mod.C) ... noise
Says something. ... ok
ok
ok, then
OK
FAIL: test_a (mod.C)
ERROR: test_a (mod.C)
ERROR: test_a(mod.C)
FAILED: test_a(mod.C)
FAIL:
this looks ok
test_no_migrations (x) ... Testing against Django installed in '/repo/django'
 up to 2 processes silenced).
test_view (x) ... Internal Server Error: /foo/bar/
test_view (x) ...
Internal Server Error: /foo/
test_check (x) ... System check identified no issues (0 silenced)
... System check identified no issues (0 silenced)
Applying sites.0002_alter_domain_unique...test_no_migrations (y) ... ok
--version is equivalent to version
test_solve ok
test_solve F
test_limit[slow] E
________________ sympy/core/tests/test_a.py:test_limit ________________
com.acme.CalcTest,adds,PASS
com.acme.CalcTest,adds,FAIL
"com.acme.CalcTest,divides,error"
com.acme.CalcTest,odd,Unknown
Test-class-name,Test-name,status
["com.acme.A,b,PASS", "com.acme.A,c,FAIL"]
+ mvn test -Dtest=CalcTest#adds -q
[INFO] BUILD SUCCESS
[ERROR] BUILD FAILURE
  ✓ adds two numbers (12 ms)
  ✓ adds two numbers (1.2 s)
    ✕ adds two numbers
  ○ skipped one
  ✔ subtracts
[PASSED] calc adds
[FAILED] calc adds
["start",{"total":2}]
["pass",{"title":"adds","fullTitle":"calc adds","file":"/app/test/calc.js"}]
["fail",{"title":"adds","fullTitle":"calc adds","file":"/app/test/calc.js"}]
["pass",{"title":"lost"}]
["pass",{"title":"x","file":null}]
{"a": 1, "b": 2}
7
null
issues/12/test.py::test_a
tests/x/test.py::test_expensify_0012
pytest_exit_code=1
pytest exit code: 0
exit code: 2
pytest_exit_code:
0
=== 3 passed in 0.1s ===
=== 1 failed, 2 passed in 0.1s ===
{"Time":"x","Action":"pass","Package":"a/b","Test":"TestX/sub","Elapsed":0.1}
{"Action":"fail","Package":"a/b","Test":"TestX/sub"}
{"Action":"skip","Package":"a/b","Test":"TestS"}
{"Action":"pass","Package":"a/b"}
{"Action":"pass","Test":"TestNoPackage"}
{"Action":"output","Package":"a/b","Test":"TestX","Output":"--- PASS: TestX \u003c\n"}
--- PASS: TestX (0.00s)
    --- FAIL: TestX/sub_a (1) (0.00s)
--- SKIP: TestS (0.00s)
FAIL	a/b [build failed]
test calc::adds ... ok
test calc::adds ... FAILED
test calc::adds - should panic ... ok
test src/lib.rs - add (line 3) ... ok
test calc::slow ... ignored
test
test calc::split ...
1/3 Test #1: adds ............   Passed    0.01 sec
2/3 Test #2: divides .........***Failed    0.01 sec
3/3 Test #3: two words .......   Failed    0.01 sec
50% tests passed, 1 tests failed out of 2
100% tests passed, 0 tests failed out of 2
100% tests passed out of 3
check_calc.c:12:P:Core:test_add:0: Passed
check_calc.c:13:F:Core:test_div:0: Assertion 'x' failed
check_calc.c:14:E:Core:test_seg:0: (after this point) Received signal 11
50%: Checks: 4, Failures: 1, Errors: 1
PASS: test_one
FAIL: test_one
PASS:test_two
ERROR: test_three
SKIP: test_four
passed tests: five
Test six passed
test seven FAILED
Testsuite summary for libx 1.0
# TOTAL: 4
# PASS:  2
# FAIL:  1
# XPASS: 0
# ERROR: 1
[ RUN      ] Calc.Adds
[       OK ] Calc.Adds (1 ms)
[  FAILED  ] Calc.Adds (1 ms)
[  FAILED  ] In/Calc.Adds/0, where GetParam() = 4 (0 ms)
[  FAILED  ] Calc.Adds
[  PASSED  ] 2 tests.
[  FAILED  ] 1 test, listed below:
ok 1 - adds
ok 2 adds: two numbers
not ok 3 - divides # TODO later
ok 4
Running 3 test cases...
calc.cpp(3): error: in "Calc/Divides": check failed
calc.cpp(4): error: in "Lonely": check failed
*** 1 failure is detected in the test suite "Master"
[doctest] test cases:  3 |  2 passed | 1 failed | 0 skipped
<?xml version="1.0"?><testsuites>
<testsuite name="s"><testcase name="a" classname="C"/><testcase name="b"><failure/></testcase>
<testcase name="c"><skipped/></testcase><testcase name="a" classname="C"><error/></testcase>
<testcase name="d"><system-out>x</system-out></testcase>
</testsuite>
</testsuites>
1/2 calc                 OK             0.12s
2/2 calc                 FAIL           0.12s
2/2 calc-slow            TIMEOUT        0.12s
2/2 calc / odd           OK             0.12s
2/2 calc                 EXPECTEDFAIL   0.12s
Calc (Acme\Calc)
Calc (Acme\CalcTest)
Unnamed (Acme\UnnamedTests)
Calc (Acme)
 ✔ Adds two numbers
 ✘ Adds two numbers
 ✓ Adds with data set "a"
 ↩ Skips
There was 1 failure:
There were 2 errors:
1) Acme\CalcTest::testAddsTwoNumbers with data set "a"
2) Acme\CalcTest::testToken
Acme\CalcTest::testAdds ok
Acme\CalcTest::testAdds FAILED
Acme\CalcTest::testSkips skipped
Acme::CalcTest#test_adds = 0.05 s = .
Acme::CalcTest#test_adds = 0.05 s = F
Acme::CalcTest#test_odd = 0.00 s = S
Acme::CalcTest#test_adds [PASS]
Acme::CalcTest#test_adds [odd]
test_adds (Acme::CalcTest) = 0.01 s = E
Calc adds - passed
Calc - adds - failed (0.1 s)
Calc waits - pending
""".strip("\n").split("\n")

LINE = st.sampled_from([*LINES, "", "  ", DASHES, EQUALS, "noise"])
ENDS = st.sampled_from(["\n"] * 8 + ["\r\n", "\x1b[0m\n", "\t\n"])
GLUE = st.sampled_from([""] * 8 + ["\x1b[31m", "  ", "\t", "x "])

LOGS = st.lists(st.tuples(GLUE, LINE, ENDS), max_size=14).map(
    lambda parts: "".join(glue + line + end for glue, line, end in parts)
)
