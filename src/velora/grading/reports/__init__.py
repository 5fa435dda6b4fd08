"""Machine-readable reports as evidence beside the log: which there can be, and fetching them.

The test command is never changed. A framework is asked through the environment that it reads
anyway, or its report lies where it writes one by itself. All of it is kept outside the repository.
"""

from velora.grading.reports.collect import Collected, collect, prepare
from velora.grading.reports.recipes import Recipe, choose

__all__ = ["Collected", "Recipe", "choose", "collect", "prepare"]
