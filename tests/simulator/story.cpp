#include "tests/simulator/story.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/simulator/chance.hpp"
#include "tests/simulator/details.hpp"

namespace simulator {
namespace {

using mirror::Instant;
using mirror::Seconds;

// One open, or what becomes of one. There may be a million.
struct Event {
    Instant at;
    std::int64_t mailing = 0;
    std::int64_t destination = 0;
    std::optional<std::int64_t> profile;
    const std::string* ip = nullptr;
    const std::string* useragent = nullptr;
};

struct Sent {
    Instant at;              // when the mailing was sent
    std::int64_t mails = 0;  // deliveries and errors
};

std::optional<std::string> copy(const std::string* text) {
    return text == nullptr ? std::nullopt : std::optional(*text);
}

class Teller {
  public:
    Teller(Account& account, const Story& story)
        : account_(account), story_(story), random_(scatter(story.seed)) {}

    void tell() {
        read_opens();
        if (opens_.empty()) {
            return;
        }
        send();
        deliver();
        bounce();
        const std::vector<Event> clicks = click();
        unsubscribe(clicks);
        complain();
        announce();
    }

  private:
    std::uint64_t size(const std::optional<std::uint64_t>& wanted, double share) const {
        return wanted.value_or(
            static_cast<std::uint64_t>(share * static_cast<double>(opens_.size())));
    }

    void read_opens() {
        Selection selection;
        selection.reading = Reading::instant;
        selection.now = Instant::max();
        account_.of(StreamId::impressions)
            .read(selection, 0, std::numeric_limits<std::uint64_t>::max(), [&](const RowView& row) {
                const auto& [mailing, ip, useragent, device, destination, profile, subprofile,
                             none] = row.cells;
                if (row.raw == nullptr && !mailing.null && !destination.null) {
                    opens_.push_back({row.at, mailing.number, destination.number,
                                      profile.null ? std::nullopt : std::optional(profile.number),
                                      ip.text, useragent.text});
                }
            });
    }

    // A mailing is sent up to ten minutes before it is opened first.
    void send() {
        for (const Event& open : opens_) {
            const auto [mailing, is_new] = mailings_.try_emplace(open.mailing);
            Sent& sent = mailing->second;
            if (is_new) {
                constexpr std::uint64_t ten_minutes = 600;
                sent.at =
                    open.at - Seconds(30 + static_cast<std::int64_t>(below(random_, ten_minutes)));
            }
            next_destination_ = std::max(next_destination_, open.destination + 1);
        }
    }

    // To all destinations that opened, each before its first open, and to as many others as wanted.
    void deliver() {
        std::vector<Event> mails;
        std::set<std::pair<std::int64_t, std::int64_t>> seen;
        for (const Event& open : opens_) {
            if (seen.emplace(open.mailing, open.destination).second) {
                Event& mail = mails.emplace_back(open);
                const Instant sent = mailings_.at(open.mailing).at;
                constexpr std::int64_t quarter = 900;
                const auto most = std::min<std::int64_t>((open.at - sent).count(), quarter);
                mail.at = sent + Seconds(static_cast<std::int64_t>(
                                     below(random_, static_cast<std::uint64_t>(most))));
            }
        }
        seen.clear();
        constexpr double usual = 10;
        const std::uint64_t wanted = size(story_.size.deliveries, usual);
        if (mails.size() < wanted) {
            send_more(mails, wanted - mails.size());
        }
        log(StreamId::deliveries, mails);
    }

    void bounce() {
        constexpr double usual = 0.02;
        std::vector<Event> mails;
        send_more(mails, size(story_.size.errors, usual));
        log(StreamId::errors, mails);
    }

    // Mails to destinations that opened nothing, to each mailing in proportion to its opens.
    void send_more(std::vector<Event>& mails, std::uint64_t count) {
        mails.reserve(mails.size() + count);
        for (std::uint64_t i = 0; i < count; ++i) {
            Event mail;
            mail.mailing = opens_[below(random_, opens_.size())].mailing;
            mail.destination = next_destination_++;
            constexpr std::int64_t first_profile = 13000;
            mail.profile = first_profile + static_cast<std::int64_t>(below(random_, count + 1));
            constexpr std::uint64_t quarter = 900;
            mail.at = before_end(mailings_.at(mail.mailing).at, 0, quarter);
            mails.push_back(mail);
        }
    }

    std::vector<Event> click() {
        constexpr double usual = 0.2;
        std::vector<Event> clicks = follow(opens_, size(story_.size.clicks, usual), 300);
        log(StreamId::clicks, clicks);
        return clicks;
    }

    void unsubscribe(const std::vector<Event>& clicks) {
        constexpr double usual = 0.005;
        log(StreamId::unsubscribes,
            follow(clicks.empty() ? opens_ : clicks, size(story_.size.unsubscribes, usual), 120));
    }

    void complain() {
        constexpr double usual = 0.0005;
        log(StreamId::abuses, follow(opens_, size(story_.size.abuses, usual), 3600));
    }

    // So many events, each up to `within` seconds after one of those.
    std::vector<Event> follow(const std::vector<Event>& events, std::uint64_t count,
                              std::uint64_t within) {
        std::vector<Event> followers;
        followers.reserve(count);
        for (std::uint64_t i = 0; i < count; ++i) {
            Event& follower = followers.emplace_back(events[below(random_, events.size())]);
            follower.at = before_end(follower.at, 1, within);
        }
        return followers;
    }

    // Up to `within` seconds after `at`, but not after the end.
    Instant before_end(Instant at, std::int64_t least, std::uint64_t within) {
        const Instant later =
            at + Seconds(least + static_cast<std::int64_t>(below(random_, within)));
        return std::max(at, std::min(later, story_.end - Seconds(1)));
    }

    // Gives the events IDs in the order in which they are logged, and adds them.
    void log(StreamId stream, const std::vector<Event>& events) {
        std::vector<std::pair<Instant, std::uint32_t>> logged;
        logged.reserve(events.size());
        for (const Event& event : events) {
            logged.emplace_back(logged_at(event), static_cast<std::uint32_t>(logged.size()));
        }
        std::sort(logged.begin(), logged.end());
        account_.of(stream).reserve(events.size());
        std::int64_t id = 0;
        for (const auto& [when, place] : logged) {
            Row row = row_of(stream, events[place], ++id);
            row.visible_from = when;
            account_.of(stream).add(row);
            if (stream == StreamId::deliveries || stream == StreamId::errors) {
                ++mailings_.at(events[place].mailing).mails;
            }
        }
    }

    Instant logged_at(const Event& event) {
        if (story_.late_share <= 0 || fraction(random_) >= story_.late_share) {
            return event.at;
        }
        const auto most = static_cast<std::uint64_t>(story_.latest_by.count()) + 1;
        return event.at + Seconds(static_cast<std::int64_t>(below(random_, most)));
    }

    Row row_of(StreamId stream, const Event& event, std::int64_t id) const {
        Row row;
        row.id = id;
        row.at = event.at;
        row.mailing = event.mailing;
        row.destination = event.destination;
        row.profile = event.profile;
        if (stream == StreamId::clicks) {
            row.ip = copy(event.ip);
            row.useragent = copy(event.useragent);
        }
        add_details(stream, row, scatter(story_.seed) + static_cast<std::uint64_t>(id));
        return row;
    }

    void announce() {
        for (const auto& [id, sent] : mailings_) {
            Row row;
            row.id = id;
            row.at = sent.at;
            row.visible_from = sent.at;
            add_details(StreamId::mailings, row, static_cast<std::uint64_t>(id));
            row.destinations = sent.mails;
            account_.of(StreamId::mailings).add(row);
        }
    }

    Account& account_;
    const Story& story_;
    std::mt19937_64 random_;
    std::vector<Event> opens_;  // in the order of time
    std::map<std::int64_t, Sent> mailings_;
    std::int64_t next_destination_ = 1;
};

}  // namespace

void tell(Account& account, const Story& story) {
    Teller(account, story).tell();
}

}  // namespace simulator
