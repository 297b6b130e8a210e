import unittest

from mynah import ask
from weather import weather


class WeatherTest(unittest.TestCase):
    def test_a_city_is_answered_and_remembered(self):
        answer = ask(weather, captures={"city": "上海"})
        self.assertEqual(answer.texts, ["上海：多云，18°C"])
        self.assertEqual(answer["set"], {"user.city": "上海"})

    def test_without_a_city_it_is_the_last_one(self):
        self.assertEqual(ask(weather, vars={"user.city": "北京"}).texts, ["北京：晴，9°C"])
        self.assertIn("哪个城市", ask(weather).texts[0])

    def test_later_comes_back(self):
        answer = ask(weather, captures={"city": "北京"}, args={"when": "later", "wait": "5m"})
        self.assertEqual(answer["later"], [{"after": "5m", "data": {"city": "北京"}}])
        due = ask(weather, kind="due", data=answer["later"][0]["data"])
        self.assertEqual(due.texts, ["北京：晴，9°C"])


if __name__ == "__main__":
    unittest.main()
