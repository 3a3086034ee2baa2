#include "core/sync/horizon_facts.hpp"

#include <cstdint>

#include "core/sync/metadata.hpp"
#include "core/util/decimal.hpp"

namespace mirror::sync {
namespace {

std::string text_or_empty(const std::optional<Instant>& at) {
    return at ? metadata::seconds_text(*at) : std::string();
}

}  // namespace

plan::Horizon read_horizon(const std::function<std::optional<std::string>(const char*)>& fact) {
    plan::Horizon horizon;
    horizon.begin = metadata::read_instant(fact(metadata::horizon));
    const std::optional<std::string> age = fact(metadata::horizon_age);
    if (const auto seconds = age ? read_decimal<std::int64_t>(*age) : std::nullopt) {
        horizon.age = Seconds(*seconds);
    }
    const auto pending = metadata::read_instant(fact(metadata::horizon_pending));
    const auto at = metadata::read_instant(fact(metadata::horizon_pending_at));
    if (pending && at) {
        horizon.pending = plan::HorizonProof{*pending, *at};
    }
    return horizon;
}

std::map<std::string, std::string> horizon_facts(const plan::Horizon& horizon) {
    std::optional<Instant> pending;
    std::optional<Instant> pending_at;
    if (horizon.pending) {
        pending = horizon.pending->begin;
        pending_at = horizon.pending->at;
    }
    return {
        {metadata::horizon, text_or_empty(horizon.begin)},
        {metadata::horizon_age, horizon.age ? std::to_string(horizon.age->count()) : std::string()},
        {metadata::horizon_pending, text_or_empty(pending)},
        {metadata::horizon_pending_at, text_or_empty(pending_at)}};
}

}  // namespace mirror::sync
