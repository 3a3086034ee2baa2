// What the log looks like to people, to the journal and to machines, and that nobody can write to
// it through a message.

#include "daemon/log/logging.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <doctest/doctest.h>

#include "tests/unit/daemon/captured_environment.hpp"

using namespace mirror;
using namespace mirror::daemon;

namespace {

struct Surroundings : test::CapturedEnvironment {
    LogOptions options;

    std::string written(spdlog::level::level_enum level, const std::string& message) {
        err.str("");
        make_logger(environment, options)->log(level, "{}", message);
        return err.str();
    }
};

using spdlog::level::level_enum;

// A text that would do harm: to a terminal, to a reader of lines, to a reader of UTF-8.
const std::vector<std::string>& hostile() {
    static const std::vector<std::string> all{
        "two\nlines",
        "a fake line\n<0>emerg",
        "carriage\rreturn",
        "title \x1b]0;x\x07",
        "delete \x7f",
        "C1 \xc2\x9b"
        "31m",
        "cut off \xe2\x82",
        "no UTF-8 \xff\xfe",
        "overlong \xc0\x8a",
        "surrogate \xed\xa0\x80",
        "right to left \xe2\x80\xae"
        "gpj",
        "line separator \xe2\x80\xa8",
        std::string("nothing \0 in between", 20),
    };
    return all;
}

bool harmless(const std::string& line) {
    return std::all_of(line.begin(), line.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte < 0x7f;  // nothing else is left of those above
    });
}

}  // namespace

TEST_CASE("logging: text has time and level, and colour on a terminal only") {
    Surroundings s;
    const std::string plain = s.written(level_enum::warn, "Grüße");
    CHECK(plain.substr(4, 1) == "-");
    CHECK(plain.substr(19) == "Z warning: Grüße\n");
    s.environment.err_is_terminal = true;
    CHECK(s.written(level_enum::warn, "x").find("\x1b[33mwarning\x1b[0m: x\n") !=
          std::string::npos);
    CHECK(s.written(level_enum::err, "x").find("\x1b[31merror\x1b[0m: x\n") != std::string::npos);
    CHECK(s.written(level_enum::info, "x").find('\x1b') == std::string::npos);
    s.environment.no_color = true;
    CHECK(s.written(level_enum::warn, "x").find('\x1b') == std::string::npos);
    s.environment.no_color = false;
    s.options.quiet = true;
    CHECK(s.written(level_enum::warn, "x").find('\x1b') == std::string::npos);
    CHECK(s.written(level_enum::info, "x") == "");
}

TEST_CASE("logging: the journal gets a priority for each level, and no time") {
    Surroundings s;
    s.environment.err_is_journal = true;
    s.environment.err_is_terminal = true;
    s.options.level = "trace";
    CHECK(s.written(level_enum::trace, "x") == "<7>x\n");
    CHECK(s.written(level_enum::debug, "x") == "<7>x\n");
    CHECK(s.written(level_enum::info, "x") == "<6>x\n");
    CHECK(s.written(level_enum::warn, "x") == "<4>x\n");
    CHECK(s.written(level_enum::err, "x") == "<3>x\n");
}

TEST_CASE("logging: JSON is one object a line, with these keys and no others") {
    Surroundings s;
    s.options.format = "json";
    s.environment.err_is_journal = true;
    const std::string line = s.written(level_enum::warn, "say \"Grüße\" \\ so");
    CHECK(line.back() == '\n');
    const auto object = boost::json::parse(line).as_object();
    CHECK(object.size() == 3);
    CHECK(object.at("time").as_string().size() == 20);
    CHECK(object.at("level") == "warning");
    CHECK(object.at("message") == "say \"Grüße\" \\ so");
}

TEST_CASE("logging: levels") {
    Surroundings s;
    const std::vector<std::string> names{"trace", "debug", "info", "warning", "error"};
    const std::vector<level_enum> levels{level_enum::trace, level_enum::debug, level_enum::info,
                                         level_enum::warn, level_enum::err};
    for (std::size_t asked = 0; asked < names.size(); ++asked) {
        s.options.level = names[asked];
        for (std::size_t given = 0; given < levels.size(); ++given) {
            CAPTURE(names[asked]);
            CHECK(s.written(levels[given], "x").empty() == (given < asked));
        }
    }
}

TEST_CASE("logging: whatever a message carries, it is one harmless line") {
    Surroundings s;
    for (const std::string& message : hostile()) {
        CAPTURE(message);
        s.options.format = "text";
        s.environment.err_is_journal = false;
        const std::string text = s.written(level_enum::info, message);
        REQUIRE(text.back() == '\n');
        CHECK(harmless(text.substr(0, text.size() - 1)));
        s.environment.err_is_journal = true;
        const std::string journal = s.written(level_enum::info, message);
        REQUIRE(journal.back() == '\n');
        CHECK(harmless(journal.substr(0, journal.size() - 1)));
        CHECK(journal.rfind("<6>", 0) == 0);
        s.options.format = "json";
        const std::string json = s.written(level_enum::info, message);
        REQUIRE(json.back() == '\n');
        CHECK(harmless(json.substr(0, json.size() - 1)));
        const auto object = boost::json::parse(json).as_object();
        CHECK(harmless(std::string(object.at("message").as_string())));
    }
}
