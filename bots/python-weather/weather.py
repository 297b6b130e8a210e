"""Says the weather of a city. The data is in weather.json, so that the example needs no network."""

import json
import os

from mynah import handler, run

HERE = os.path.dirname(os.path.abspath(__file__))

with open(os.path.join(HERE, "weather.json"), encoding="utf-8") as file:
    CITIES = json.load(file)


@handler
def weather(ctx):
    if ctx.kind == "due":
        return report(ctx.data["city"])
    city = ctx.arg("city") or ctx.get("user.city")
    if city is None:
        return "哪个城市？发“天气 上海”给我。"
    ctx.set("user.city", city)
    if ctx.arg("when") == "later":
        ctx.later(ctx.arg("wait", "1h"), {"city": city})
        return f"好的，到时候告诉你{city}的天气。"
    print("asked for", city)  # goes to the log
    return report(city)


def report(city):
    found = CITIES.get(city)
    if found is None:
        return f"没有{city}的数据。"
    return f"{city}：{found['sky']}，{found['temp']}°C"


if __name__ == "__main__":
    run()
