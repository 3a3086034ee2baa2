#include "core/sync/run_recorder.hpp"

#include <map>
#include <optional>
#include <utility>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "core/sync/metadata.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

bool is_cancellation(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const boost::system::system_error& failed) {
        return failed.code() == asio::error::operation_aborted;
    } catch (...) {
        return false;
    }
}

std::string message_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& failed) {
        return failed.what();
    } catch (...) {
        return "unknown error";
    }
}

// Why a run that ended by itself is not whole; empty if it is.
std::string why_incomplete(const Outcome& outcome) {
    if (!outcome.unread.empty()) {
        return outcome.unread.front().reason;
    }
    if (outcome.difference) {
        return "the API's count and the file's differ";
    }
    return outcome.found.value_or("");
}

}  // namespace

RunRecord RunRecorder::record_of(Outcome outcome, std::string result) const {
    RunRecord run;
    run.kind = kind_;
    run.period = outcome.period;
    run.started = started_;
    run.requests = context_.client.requests();
    run.written = outcome.written;
    run.unread = std::move(outcome.unread);
    run.outcome = std::move(result);
    return run;
}

asio::awaitable<void> RunRecorder::running(Outcome outcome) {
    RunRecord run = record_of(std::move(outcome), "running");
    co_await context_.store.record_run(std::move(run));
}

asio::awaitable<void> RunRecorder::ended(Outcome outcome, Ending ending) {
    const std::exception_ptr failed = ending.failed;
    std::exception_ptr unwritten;
    if (ending.file_is_ours) {
        try {
            co_await write_ending(std::move(outcome), std::move(ending));
        } catch (...) {
            unwritten = std::current_exception();
        }
    }
    // What ended the run matters more than that it could not be written down.
    if (failed) {
        std::rethrow_exception(failed);
    }
    if (unwritten) {
        std::rethrow_exception(unwritten);
    }
}

asio::awaitable<void> RunRecorder::write_ending(Outcome outcome, Ending ending) {
    std::string result;
    std::string last_error;
    if (!ending.failed) {
        result = outcome.whole() && !ending.compared_nothing ? "done" : "incomplete";
        last_error = why_incomplete(outcome);
    } else if (is_cancellation(ending.failed)) {
        result = "stopped";
    } else {
        last_error = message_of(ending.failed);
        result = "failed: " + last_error;
    }
    co_await context_.requests.flush();
    RunRecord run = record_of(std::move(outcome), std::move(result));
    run.ended = context_.clock.utc();
    co_await context_.store.record_run(std::move(run));
    if (ending.row_alone) {
        co_return;
    }
    // An audit that compared nothing says nothing of how things are.
    const bool succeeded = !ending.failed && !ending.compared_nothing;
    if (succeeded || !last_error.empty()) {
        co_await note_result(std::move(last_error));
    }
}

asio::awaitable<void> RunRecorder::note_partial_success() {
    co_await context_.store.set_fact(metadata::last_success,
                                     metadata::seconds_text(context_.clock.utc()));
}

asio::awaitable<void> RunRecorder::note_result(std::string error) {
    const std::string now = metadata::seconds_text(context_.clock.utc());
    std::map<std::string, std::string> changed;
    if (error.empty()) {
        changed[metadata::failing_since] = "";
        changed[metadata::last_success] = now;
    } else {
        const std::optional<std::string> since =
            co_await context_.store.fact(metadata::failing_since);
        if (!since || since->empty()) {
            changed[metadata::failing_since] = now;
        }
        changed[metadata::last_error_at] = now;
    }
    changed[metadata::last_error] = std::move(error);
    const double rate = context_.client.rate();
    const bool is_slowed = rate < static_cast<double>(context_.settings.requests_per_second);
    changed[metadata::request_rate] = is_slowed ? fmt::format("{:.1f}", rate) : std::string();
    const copernica::Api& api = context_.shared.access.api();
    if (const auto paths = api.paths_of(context_.stream())) {
        changed[metadata::api_version] = std::to_string(api.version());
        changed[metadata::api_paths] = std::string(copernica::name_of(*paths));
    }
    co_await context_.store.set_facts(std::move(changed));
}

}  // namespace mirror::sync
