#include "core/sync/version_check.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/plan/version_sample.hpp"
#include "core/sync/errors.hpp"
#include "core/sync/metadata.hpp"

namespace mirror::sync {

namespace asio = boost::asio;

namespace {

// What was spoken before the file said which version it was.
constexpr const char* oldest_version = "3";

}  // namespace

asio::awaitable<void> check_version(RunContext& context) {
    const std::string now = std::to_string(context.shared.access.api().version());
    const std::optional<std::string> known = co_await context.store.fact(metadata::api_version);
    const std::string before = known.value_or(oldest_version);
    if (before == now) {
        co_return;
    }
    const LocalTime settled = context.settings.zone.to_local(context.client.settled());
    const std::vector<plan::SampledRow> file =
        co_await context.store.newest_sample(settled, plan::sample_size);
    if (!file.empty()) {
        const copernica::PageQuery query =
            plan::sample_query(file, context.adaptive.page_size.now());
        const copernica::FetchedPage fetched =
            co_await context.client.fetch_with_retry(query, repeated_hour);
        const bool complete = fetched.page.total == fetched.page.records();
        if (const auto why = plan::why_other_rows(
                context.stream(), file, plan::sampled(context.stream(), fetched.page), complete)) {
            throw OtherRows(fmt::format(
                "version {} of the API does not show what the file has from version {}: {}; set "
                "[api] url back to version {}, or name another file in [mirror] database",
                now, before, *why, before));
        }
        context.observer.info(fmt::format(
            "the API is read in version {} from now on, and in version {} before; a sample of {} "
            "{} is the same",
            now, before, file.size(), context.stream().name));
    }
    co_await context.store.set_fact(metadata::api_version, now);
}

}  // namespace mirror::sync
