#include "core/sync/retention.hpp"

#include <string>

#include <fmt/format.h>

#include "core/plan/retention.hpp"
#include "core/sync/horizon.hpp"
#include "core/sync/metadata.hpp"
#include "core/time/text.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

asio::awaitable<void> erase_old(RunContext& context, std::optional<Monotonic> stop_after) {
    const std::optional<Seconds> keep = context.settings.keep;  // a reload may change it
    const std::string text = keep ? std::to_string(keep->count()) : std::string();
    const std::optional<std::string> told = co_await context.store.fact(metadata::keep);
    if (told.value_or("") != text) {
        co_await context.store.set_fact(metadata::keep, text);
    }
    if (!keep) {
        co_return;
    }
    const Zone& zone = context.settings.zone;
    const Instant from = plan::kept_from(zone, context.client.settled(), *keep);
    bool more = true;
    std::uint64_t erased = 0;
    // One portion at least: other work may never leave time for it.
    do {
        co_await learn_erased_before(context);
        if (context.erased_before && *context.erased_before >= from) {
            if (erased > 0) {
                context.observer.info(
                    fmt::format("erased {} {} older than {}, as [privacy] keep says", erased,
                                context.stream().name, format_local(zone.to_local(from))));
            }
            co_return;
        }
        if (!more) {
            co_return;  // another erasure is at work
        }
        const ErasedPortion portion = co_await context.store.erase_older(zone.to_local(from));
        erased += portion.records;
        more = portion.more;
    } while (!(stop_after && context.client.monotonic() >= *stop_after));
}

asio::awaitable<void> cut_kept(RunContext& context, std::optional<Monotonic> stop_after) {
    Rewriting state = Rewriting::more;
    do {
        state = co_await context.store.rewrite_portion();
    } while (state == Rewriting::more &&
             !(stop_after && context.client.monotonic() >= *stop_after));
    if (state == Rewriting::done) {
        context.observer.info("all records have what [privacy] keeps of addresses and user agents");
    }
}

}  // namespace mirror::sync
