import unittest

from timespan import parse


class ParseTest(unittest.TestCase):
    def test_several_units(self):
        self.assertEqual(parse("1h30m"), 5400)

    def test_blanks_between_parts(self):
        self.assertEqual(parse("1d 2h"), 93600)

    def test_negative(self):
        self.assertEqual(parse("-5m"), -300)

    def test_nonsense(self):
        with self.assertRaises(ValueError):
            parse("soon")


if __name__ == "__main__":
    unittest.main()
