import unittest

from timespan import show


class ShowTest(unittest.TestCase):
    def test_several_units(self):
        self.assertEqual(show(5400 + 5), "1h30m5s")

    def test_nothing(self):
        self.assertEqual(show(0), "0s")


if __name__ == "__main__":
    unittest.main()
