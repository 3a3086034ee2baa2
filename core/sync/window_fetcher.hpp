// Reads one window whole, or says that it cannot be.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "core/plan/page_size.hpp"
#include "core/plan/window_scheduler.hpp"
#include "core/sync/run_context.hpp"

namespace mirror::sync {

/// What is reported about a window while it is read.
class WindowEvents {
  public:
    virtual ~WindowEvents() = default;
    /// The first reply has said how many records it has.
    virtual void counted(std::uint64_t records) = 0;
    /// Another reply has come, and it has so many distinct records now.
    virtual void received(std::uint64_t records) = 0;
    /// A request failed: it may take long.
    virtual void delayed() = 0;
};

/// Carries out what plan::WindowReader decides, and hands what cannot be read back to the
/// scheduler: to be cut, halved, read again or given up.
class WindowFetcher {
  public:
    WindowFetcher(RunContext& context, plan::WindowScheduler& scheduler, copernica::Lane lane)
        : context_(context), scheduler_(scheduler), lane_(lane) {}

    /// The window, if it was read whole. Otherwise the scheduler knows what comes next. Throws what
    /// ends a run.
    [[nodiscard]] boost::asio::awaitable<std::optional<WholeWindow>> fetch(plan::WindowTask task,
                                                                           WindowEvents& events);

  private:
    /// One window on its way.
    struct Attempt {
        plan::WindowTask& task;
        plan::WindowReader& reader;
        std::optional<plan::FailedPage>& failed_page;
    };

    boost::asio::awaitable<bool> same_again(Attempt& attempt, const copernica::ApiError& error);
    bool try_smaller_pages(Attempt& attempt, const copernica::ApiError& error);
    boost::asio::awaitable<void> learn_page_size(std::optional<plan::FailedPage>& failed_page,
                                                 std::uint32_t size, std::size_t records,
                                                 bool all_came);
    boost::asio::awaitable<bool> accept_empty(plan::WindowTask& task, int replies);
    WholeWindow whole_window(const plan::WindowTask& task, Instant valid_until,
                             Records records) const;
    std::optional<std::uint64_t> better_total(const plan::WindowReader& reader) const;
    std::uint64_t fill_pages(plan::WindowTask& task, plan::WindowReader& reader);
    plan::ReadingLimits reading_limits() const;
    std::optional<std::uint64_t> go_on_crowded(plan::WindowTask& task, plan::WindowReader& reader);
    bool go_on_before_the_end(plan::WindowTask& task, plan::WindowReader& reader) const;
    void learn(const copernica::PageQuery& query, const copernica::FetchedPage& fetched);

    RunContext& context_;
    plan::WindowScheduler& scheduler_;
    copernica::Lane lane_;
};

}  // namespace mirror::sync
