#include "tests/simulator/account.hpp"

#include <utility>

namespace simulator {
namespace {

std::optional<std::int64_t> number(const Value& value) {
    const auto* held = std::get_if<std::int64_t>(&value);
    return held == nullptr ? std::nullopt : std::optional(*held);
}

std::optional<std::string> text(const Value& value) {
    const auto* held = std::get_if<std::string>(&value);
    return held == nullptr ? std::nullopt : std::optional(*held);
}

}  // namespace

Account::Account(const std::string& zone) : zone_(zone) {
    for (const StreamId stream : all_streams) {
        tables_[index_of(stream)] = std::make_unique<Table>(stream, zone_);
    }
}

void Account::clear() {
    for (const auto& table : tables_) {
        table->clear();
    }
}

std::vector<TrueRow> Account::truth(mirror::Instant now) const {
    std::vector<TrueRow> rows;
    for (const Values& values : of(StreamId::impressions).truth(now)) {
        rows.push_back(as_true_row(values));
    }
    return rows;
}

TrueRow as_true_row(const Values& impression) {
    TrueRow row;
    row.id = std::get<std::int64_t>(impression.at(0));
    row.mailing = number(impression.at(1));
    row.timestamp = std::get<std::string>(impression.at(2));
    row.ip = text(impression.at(3));
    row.useragent = text(impression.at(4));
    row.device = text(impression.at(5));
    row.destination = number(impression.at(6));
    row.profile = number(impression.at(7));
    row.subprofile = number(impression.at(8));
    return row;
}

}  // namespace simulator
