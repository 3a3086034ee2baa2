#include "daemon/log/logging.hpp"

#include <chrono>
#include <iterator>
#include <string_view>
#include <utility>

#include <boost/json/serialize.hpp>
#include <boost/json/string.hpp>
#include <fmt/format.h>
#include <spdlog/formatter.h>
#include <spdlog/sinks/ostream_sink.h>

#include "core/time/text.hpp"
#include "core/util/printable.hpp"

namespace mirror::daemon {
namespace {

using spdlog::memory_buf_t;
using spdlog::details::log_msg;

void append(memory_buf_t& line, std::string_view text) {
    line.append(text.data(), text.data() + text.size());
}

// What the message says, on one line and without anything that a terminal or a reader of lines
// would obey: the API's words may be in it.
std::string harmless(const log_msg& message) {
    return printable({message.payload.data(), message.payload.size()}, std::string_view::npos);
}

std::string_view level_name(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::trace:
            return "trace";
        case spdlog::level::debug:
            return "debug";
        case spdlog::level::info:
            return "info";
        case spdlog::level::warn:
            return "warning";
        default:
            return "error";
    }
}

std::string utc_text(const log_msg& message) {
    return format_utc(Instant(std::chrono::floor<Seconds>(message.time.time_since_epoch())));
}

class TextFormatter final : public spdlog::formatter {
  public:
    explicit TextFormatter(bool colour) : colour_(colour) {}

    void format(const log_msg& message, memory_buf_t& line) override {
        append(line, utc_text(message));
        line.push_back(' ');
        const bool loud = colour_ && message.level >= spdlog::level::warn;
        if (loud) {
            append(line, message.level == spdlog::level::warn ? "\x1b[33m" : "\x1b[31m");
        }
        append(line, level_name(message.level));
        if (loud) {
            append(line, "\x1b[0m");
        }
        append(line, ": ");
        append(line, harmless(message));
        line.push_back('\n');
    }

    std::unique_ptr<formatter> clone() const override {
        return std::make_unique<TextFormatter>(colour_);
    }

  private:
    bool colour_;
};

// The journal keeps the time itself and reads the priority from the front of the line
// (sd-daemon(3)).
class JournalFormatter final : public spdlog::formatter {
  public:
    void format(const log_msg& message, memory_buf_t& line) override {
        append(line, priority(message.level));
        append(line, harmless(message));
        line.push_back('\n');
    }

    std::unique_ptr<formatter> clone() const override {
        return std::make_unique<JournalFormatter>();
    }

  private:
    static std::string_view priority(spdlog::level::level_enum level) {
        switch (level) {
            case spdlog::level::trace:
            case spdlog::level::debug:
                return "<7>";
            case spdlog::level::info:
                return "<6>";
            case spdlog::level::warn:
                return "<4>";
            default:
                return "<3>";
        }
    }
};

class JsonFormatter final : public spdlog::formatter {
  public:
    void format(const log_msg& message, memory_buf_t& line) override {
        fmt::format_to(std::back_inserter(line),
                       "{{\"time\":\"{}\",\"level\":\"{}\",\"message\":{}}}\n", utc_text(message),
                       level_name(message.level),
                       boost::json::serialize(boost::json::string(harmless(message))));
    }

    std::unique_ptr<formatter> clone() const override { return std::make_unique<JsonFormatter>(); }
};

std::unique_ptr<spdlog::formatter> formatter_for(const Environment& environment,
                                                 const LogOptions& options) {
    if (options.format == "json") {
        return std::make_unique<JsonFormatter>();
    }
    if (environment.err_is_journal) {
        return std::make_unique<JournalFormatter>();
    }
    return std::make_unique<TextFormatter>(environment.err_is_terminal && !environment.no_color &&
                                           !options.quiet);
}

}  // namespace

std::shared_ptr<spdlog::logger> make_logger(const Environment& environment,
                                            const LogOptions& options) {
    auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(environment.err, true);
    auto logger = std::make_shared<spdlog::logger>("copernica-mirror", std::move(sink));
    logger->set_formatter(formatter_for(environment, options));
    set_level(*logger, options);
    return logger;
}

void set_level(spdlog::logger& logger, const LogOptions& options) {
    auto level = spdlog::level::from_str(options.level);
    if (options.quiet && level < spdlog::level::warn) {
        level = spdlog::level::warn;
    }
    logger.set_level(level);
}

}  // namespace mirror::daemon
