// The decoder against a slow and simple one, on pages out of dice.
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <random>
#include <string>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <doctest/doctest.h>

#include "core/time/text.hpp"
#include "tests/support/impression.hpp"
#include "tests/unit/copernica/decoded.hpp"

using namespace mirror;
using namespace mirror::copernica;
using namespace mirror::tests;

namespace {

// Pages out of dice: values of all kinds in all fields.
class Dice {
  public:
    explicit Dice(unsigned seed) : random_(seed) {}

    std::size_t below(std::size_t end) { return random_() % end; }

    boost::json::value value(int depth) {
        namespace json = boost::json;
        static const char* const texts[] = {"1",
                                            "-5",
                                            "007",
                                            "2020-02-30 00:00:00",
                                            "2020-02-28 23:59:59",
                                            "",
                                            "\xc3\xa9\xf0\x9f\x98\x80\"\\/\n\x01",
                                            "desktop"};
        switch (below(depth > 0 ? 10 : 8)) {
            case 0:
                return nullptr;
            case 1:
                return below(2) == 0;
            case 2:
                return static_cast<std::int64_t>(random_()) - (1LL << 31);
            case 3:
                return std::uint64_t{1} << below(64);
            case 4:
                return static_cast<double>(below(1000)) / 8;
            case 8: {
                json::array array;
                for (std::size_t i = below(4); i > 0; --i) {
                    array.push_back(value(depth - 1));
                }
                return array;
            }
            case 9: {
                json::object object;
                for (std::size_t i = below(4); i > 0; --i) {
                    object[std::string(1, static_cast<char>('a' + below(26)))] = value(depth - 1);
                }
                return object;
            }
            default:
                return json::string(texts[below(std::size(texts))]);
        }
    }

    boost::json::value record() {
        static const char* const names[] = {"ID",         "mailing", "timestamp",   "ip",
                                            "useragent",  "device",  "destination", "profile",
                                            "subprofile", "new",     "id",          "zz"};
        if (below(20) == 0) {
            return value(3);
        }
        boost::json::object record;
        for (const char* const name : names) {
            if (below(3) > 0) {
                record[name] = value(3);
            }
        }
        if (below(4) > 0) {
            record["ID"] = 1 + below(100);
            record["timestamp"] = "2020-02-28 23:59:59";
        }
        return record;
    }

  private:
    std::mt19937 random_;
};

// The slow and simple way, over a DOM: the fields that make the row, and the rest.
struct Slow {
    bool row = false;
    std::optional<std::int64_t> numbers[5];
    std::optional<std::string> texts[4];
    boost::json::object rest;
};

std::optional<std::int64_t> slow_number(const boost::json::value& value) {
    if (value.is_int64()) {
        return value.get_int64();
    }
    if (value.is_uint64() && value.get_uint64() <= INT64_MAX) {
        return static_cast<std::int64_t>(value.get_uint64());
    }
    if (value.is_string()) {
        const std::string text(value.get_string().data(), value.get_string().size());
        try {
            std::size_t used = 0;
            const long long number = std::stoll(text, &used);
            if (used == text.size() && std::to_string(number) == text) {
                return number;
            }
        } catch (const std::exception&) {
        }
    }
    return std::nullopt;
}

Slow slow_read(const boost::json::value& value) {
    Slow result;
    if (!value.is_object()) {
        return result;
    }
    static const char* const number_names[] = {"ID", "mailing", "destination", "profile",
                                               "subprofile"};
    static const char* const text_names[] = {"timestamp", "ip", "useragent", "device"};
    result.rest = value.get_object();
    const auto take = [&](const char* name, auto read, auto& into) {
        const boost::json::value* const field = value.get_object().if_contains(name);
        into = field == nullptr ? std::nullopt : read(*field);
        if (field == nullptr || field->is_null() || into) {
            result.rest.erase(name);
        }
    };
    for (std::size_t i = 0; i < 5; ++i) {
        take(number_names[i], slow_number, result.numbers[i]);
    }
    for (std::size_t i = 0; i < 4; ++i) {
        take(
            text_names[i],
            [](const boost::json::value& field) -> std::optional<std::string> {
                if (!field.is_string()) {
                    return std::nullopt;
                }
                return std::string(field.get_string().data(), field.get_string().size());
            },
            result.texts[i]);
    }
    result.row = result.numbers[0].value_or(0) > 0 && result.texts[0] &&
                 parse_local(*result.texts[0]).has_value();
    return result;
}

}  // namespace

TEST_CASE("the decoder agrees with a DOM on pages out of dice") {
    namespace json = boost::json;
    for (unsigned seed = 0; seed < 150; ++seed) {
        CAPTURE(seed);
        Dice dice(seed);
        json::array data;
        for (std::size_t i = dice.below(20); i > 0; --i) {
            data.push_back(dice.record());
        }
        json::object envelope;
        envelope["count"] = data.size();
        envelope["other"] = dice.value(3);
        envelope["data"] = data;
        const std::string body = json::serialize(envelope);
        const Page page = decode(body, 1 + dice.below(200));
        REQUIRE(page.count == data.size());
        REQUIRE(page.records() == data.size());
        std::size_t rows = 0;
        std::size_t rejects = 0;
        for (std::size_t i = 0; i < data.size(); ++i) {
            CAPTURE(i);
            const Slow slow = slow_read(data[i]);
            if (!slow.row) {
                const Reject& reject = page.rejects.at(rejects++);
                REQUIRE(reject.position == i);
                // Compared as values: the order of keys is ours. A round number that was written
                // as 1E0 stays one.
                REQUIRE(json::parse(reject.record) == json::parse(json::serialize(data[i])));
                continue;
            }
            const Impression row = impression_of(page.rows.at(rows++));
            REQUIRE(row.id == slow.numbers[0]);
            REQUIRE(row.mailing == slow.numbers[1]);
            REQUIRE(row.destination == slow.numbers[2]);
            REQUIRE(row.profile == slow.numbers[3]);
            REQUIRE(row.subprofile == slow.numbers[4]);
            REQUIRE(format_local(row.time) == slow.texts[0]);
            REQUIRE(row.ip == slow.texts[1]);
            REQUIRE(row.useragent == slow.texts[2]);
            REQUIRE(row.device == slow.texts[3]);
            const json::object extra =
                row.extra ? json::parse(std::string(*row.extra)).as_object() : json::object();
            REQUIRE(row.extra.has_value() == !slow.rest.empty());
            REQUIRE(extra == json::parse(json::serialize(slow.rest)));
        }
    }
}
