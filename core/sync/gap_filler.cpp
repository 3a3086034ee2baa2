#include "core/sync/gap_filler.hpp"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "core/sync/fetch_pipeline.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

asio::awaitable<void> fill_gaps(RunContext& context, FillRequest request, Outcome& outcome) {
    StoringSink sink(context.store);
    FetchPipeline pipeline(context, sink, std::move(request.todo), request.direction, request.lane);
    if (request.first && !request.first->empty()) {
        pipeline.read_first(*request.first);
    }
    if (request.stop_after) {
        pipeline.stop_after(*request.stop_after);
    }
    std::exception_ptr failed;
    try {
        co_await pipeline.run();
    } catch (...) {
        failed = std::current_exception();
    }
    outcome.written += pipeline.written();
    for (const plan::UnreadWindow& unread : pipeline.unread()) {
        outcome.unread.push_back(unread);
        context.observer.warning(fmt::format("{} to {} could not be fetched: {}",
                                             format_utc(unread.window.begin),
                                             format_utc(unread.window.end), unread.reason));
    }
    if (failed) {
        std::rethrow_exception(failed);
    }
}

asio::awaitable<void> mark_unread(RunContext& context, WindowSet windows, std::string reason,
                                  Outcome& outcome) {
    if (windows.empty()) {
        co_return;
    }
    co_await context.store.uncover(windows);
    for (const Window& window : windows.windows()) {
        outcome.unread.push_back({window, reason});
    }
}

}  // namespace mirror::sync
