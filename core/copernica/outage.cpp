#include "core/copernica/outage.hpp"

#include <fmt/format.h>

#include "core/copernica/api.hpp"
#include "core/util/duration_text.hpp"

namespace mirror::copernica {
namespace {

std::string for_long(std::chrono::steady_clock::duration elapsed) {
    return duration_text(std::chrono::round<std::chrono::seconds>(elapsed));
}

const char* starts_with(Trouble trouble) {
    switch (trouble) {
        case Trouble::no_answer:
            break;
        case Trouble::error_status:
            return "the API answers with errors";
        case Trouble::invalid_response:
            return "the API's replies are not valid";
        case Trouble::unusable:
            return "the API cannot be used";
    }
    return "the API does not answer";
}

const char* lasts_with(Trouble trouble) {
    switch (trouble) {
        case Trouble::no_answer:
            break;
        case Trouble::error_status:
            return "the API has answered with errors";
        case Trouble::invalid_response:
            return "the API's replies have not been valid";
        case Trouble::unusable:
            return "the API could not be used";
    }
    return "the API has not answered";
}

}  // namespace

Trouble trouble_of(const ApiError& error) {
    if (error.kind() == ErrorKind::unusable) {
        return Trouble::unusable;
    }
    if (error.kind() == ErrorKind::invalid_response) {
        return Trouble::invalid_response;
    }
    return error.status() == 0 ? Trouble::no_answer : Trouble::error_status;
}

std::optional<std::string> OutageLog::failed(Trouble trouble, const std::string& why, Monotonic now,
                                             bool certain) {
    last_trouble_ = trouble;
    if (failures_ == 0) {
        since_ = now;
    }
    ++failures_;
    certain_ = certain_ || certain;
    if (failures_ < failures_to_start || !certain_) {
        return std::nullopt;
    }
    const bool starts = !reason_;
    reason_ = why;
    if (starts) {
        last_said_ = now;
        return fmt::format("{}: {}; trying again with growing pauses", starts_with(trouble), why);
    }
    if (now - last_said_ < reminder_interval) {
        return std::nullopt;
    }
    last_said_ = now;
    return fmt::format("{} for {}, {} attempts: {}", lasts_with(trouble), for_long(now - since_),
                       failures_, why);
}

std::optional<std::string> OutageLog::succeeded(Monotonic now) {
    const bool ends = reason_.has_value();
    const unsigned failures = failures_;
    failures_ = 0;
    certain_ = false;
    reason_.reset();
    if (!ends) {
        return std::nullopt;
    }
    return fmt::format("the API {} again, after {} and {} failed attempts",
                       last_trouble_ == Trouble::no_answer ? "answers" : "works",
                       for_long(now - since_), failures);
}

}  // namespace mirror::copernica
