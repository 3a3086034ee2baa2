#include "tests/simulator/live.hpp"

#include <utility>

#include "tests/simulator/details.hpp"

namespace simulator {
namespace {

constexpr std::int64_t mailing = 999;

}  // namespace

LiveStory::LiveStory(Account& account, RowMaker maker, bool whole_story)
    : account_(account), maker_(std::move(maker)), whole_story_(whole_story) {
    for (const StreamId stream : all_streams) {
        next_ids_.at(index_of(stream)) = account.of(stream).greatest_id() + 1;
    }
}

void LiveStory::happen(mirror::Instant now) {
    const StreamId stream = account_.chosen();
    const Row open = maker_.make(next_ids_.at(index_of(stream)), now, mailing);
    if (whole_story_ && stream == StreamId::impressions) {
        deliver(open, now);
        add(stream, open);
        follow(open);
    } else {
        add(stream, open);
    }
}

void LiveStory::add(StreamId stream, Row row) {
    row.id = next_ids_.at(index_of(stream))++;
    add_details(stream, row, static_cast<std::uint64_t>(row.id));
    account_.of(stream).add(row);
}

// To the destination that opens it, and to two more.
void LiveStory::deliver(const Row& open, mirror::Instant now) {
    constexpr std::int64_t mails_an_open = 3;
    constexpr std::int64_t never_opens = 1'000'000'000;
    for (std::int64_t i = 0; i < mails_an_open; ++i) {
        Row mail = open;
        if (i > 0) {
            mail.destination = never_opens + mails_ + i;
            mail.profile.reset();
            mail.subprofile.reset();
        }
        add(StreamId::deliveries, std::move(mail));
    }
    Table& mailings = account_.of(StreamId::mailings);
    if (mails_ == 0) {
        Row sent;
        sent.id = mailing;
        sent.at = now;
        add_details(StreamId::mailings, sent, mailing);
        mailings.add(sent);
    }
    mails_ += mails_an_open;
    mailings.change(mailing, [&](Row& row) { row.destinations = mails_; });
}

void LiveStory::follow(const Row& open) {
    constexpr std::uint64_t opens_a_click = 5;
    constexpr std::uint64_t opens_an_unsubscribe = 200;
    constexpr std::uint64_t opens_an_abuse = 1000;
    ++opens_;
    if (opens_ % opens_a_click == 0) {
        add(StreamId::clicks, open);
    }
    if (opens_ % opens_an_unsubscribe == 0) {
        add(StreamId::unsubscribes, open);
    }
    if (opens_ % opens_an_abuse == 0) {
        add(StreamId::abuses, open);
    }
}

}  // namespace simulator
