// What the file is told of a run: its row in `runs`, and for `status` how it ended.
#pragma once

#include <exception>
#include <string>
#include <utility>

#include <boost/asio/awaitable.hpp>

#include "core/sync/outcome.hpp"
#include "core/sync/run_context.hpp"

namespace mirror::sync {

class RunRecorder {
  public:
    /// `kind` is the command, as `runs` names it.
    RunRecorder(RunContext& context, std::string kind)
        : context_(context), kind_(std::move(kind)) {}

    /// The run begins now.
    void begin() { started_ = context_.clock.utc(); }

    /// How a run ended.
    struct Ending {
        std::exception_ptr failed;      ///< what ended it; null: it ended by itself
        bool file_is_ours = true;       ///< false: another account's file, which is left alone
        bool compared_nothing = false;  ///< an audit without anything covered
        bool row_alone = false;         ///< what `status` says stays as it is
    };

    /// Writes the row of a run that has ended, and how it ended; then throws what ended it, or else
    /// why it could not be written. To be called with cancellation disabled.
    boost::asio::awaitable<void> ended(Outcome outcome, Ending ending);

    /// Writes the row of a run that goes on.
    boost::asio::awaitable<void> running(Outcome outcome);

    /// How the last run or poll ended, for `status`, in one transaction. No error: it succeeded.
    boost::asio::awaitable<void> note_result(std::string error);

    /// Something was read well, though all is not well.
    boost::asio::awaitable<void> note_partial_success();

  private:
    boost::asio::awaitable<void> write_ending(Outcome outcome, Ending ending);
    RunRecord record_of(Outcome outcome, std::string result) const;

    RunContext& context_;
    std::string kind_;
    Instant started_{};
};

}  // namespace mirror::sync
