"""From a patch to a verdict: apply, run, parse, judge, report."""
