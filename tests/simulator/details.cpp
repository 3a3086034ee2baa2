#include "tests/simulator/details.hpp"

#include <array>
#include <optional>
#include <string>

#include "tests/simulator/chance.hpp"

namespace simulator {
namespace {

// One of 0 to limit - 1, drawn by the number; another one for each purpose.
std::uint64_t drawn(std::uint64_t number, std::uint64_t purpose, std::uint64_t limit) {
    return scatter(number * 8 + purpose) % limit;
}

constexpr std::uint64_t hundred = 100;

// Links as of a template: the same few over and over, with something for each reader filled in.
std::string link(std::uint64_t number) {
    static constexpr std::array<const char*, 8> pages{
        "",
        "promotions/customer/{$profile.customerid}",
        "products/{$item.sku}?utm_source=mail&utm_campaign={$mailing.id}",
        "unsubscribe?code={$profile.secret}",
        "view?mail={$destination.id}&lang={$profile.language|default:\"en\"}",
        "d\xc3\xa9"
        "couvrir/\xc3\xa9t\xc3\xa9",
        "store/find#map",
        "terms",
    };
    constexpr std::uint64_t sections = 12;
    const std::uint64_t page = drawn(number, 0, pages.size());
    return "https://www.shop.example/" + std::to_string(drawn(number, 1, sections)) + "/" +
           pages.at(page);
}

struct Bounce {
    const char* status;  // null: the API says null
    const char* code;
    const char* description;
    const char* type;
};

void add_bounce(Row& row, std::uint64_t number) {
    static constexpr std::array<Bounce, 8> bounces{{
        {"5.1.1", "550", "User unknown in virtual mailbox table", "nouser"},
        {"5.1.1", "550", "The email account that you tried to reach does not exist", "nouser"},
        {"5.2.2", "552", "Mailbox full", "mailboxfull"},
        {"4.2.2", "452", "The recipient's inbox is out of storage space", "mailboxfull"},
        {"5.7.1", "554", "Message rejected as spam by \"content filtering\"", "policy"},
        {"4.4.1", "421", "Connection timed out", "connection"},
        {nullptr, "0", "No valid from address is set", ""},
        {nullptr, "0", "Host not found", "dns"},
    }};
    const Bounce& bounce = bounces.at(drawn(number, 0, bounces.size()));
    if (bounce.status != nullptr) {
        row.status = bounce.status;
    }
    row.errorcode = bounce.code;
    row.description = bounce.description;
    row.errortype = bounce.type;
}

std::string report(std::uint64_t number) {
    if (drawn(number, 0, 3) == 0) {
        return "{}";
    }
    return R"({"Feedback-Type":"abuse","User-Agent":"Reports/1.0","Version":1,"Reported-Domain":)"
           R"(["shop.example"],"Source":{"ip":"192.0.2.)" +
           std::to_string(drawn(number, 1, 250)) + R"(","arrived":null}})";
}

std::string source(std::uint64_t number) {
    constexpr std::uint64_t clicks = 80;
    constexpr std::uint64_t clicks_and_headers = 95;
    const std::uint64_t percent = drawn(number, 0, hundred);
    return percent < clicks ? "click" : percent < clicks_and_headers ? "header" : "manual";
}

std::int64_t attempts(std::uint64_t number) {
    constexpr std::uint64_t at_once = 95;
    return drawn(number, 0, hundred) < at_once ? 1
                                               : 2 + static_cast<std::int64_t>(drawn(number, 1, 6));
}

void add_mailing(Row& row, std::uint64_t number) {
    static constexpr std::array<const char*, 6> subjects{
        "Only this week: -20 % on everything",
        "Your order is on its way",
        "{$profile.firstname}, we miss you",
        "\xc3\x89t\xc3\xa9 \xe2\x9c\x89 \xf0\x9f\x8c\x9e soldes",
        "News from the shop",
        "What did you think of it?",
    };
    static constexpr std::array<const char*, 4> types{"mass", "individual", "splitrun", "abtest"};
    constexpr std::uint64_t mostly_mass = 70;
    constexpr std::int64_t first_template = 500;
    constexpr std::int64_t first_database = 7000;
    row.mailing.reset();
    row.template_id = first_template + static_cast<std::int64_t>(drawn(number, 0, 40));
    row.subject = subjects.at(drawn(number, 1, subjects.size()));
    row.from_name = number % 9 == 0 ? "Caf\xc3\xa9 & Co" : "The Shop";
    row.from_email = "news@shop.example";
    row.destinations = 1 + static_cast<std::int64_t>(drawn(number, 2, 50'000));
    row.type = types.at(drawn(number, 3, hundred) < mostly_mass ? 0 : drawn(number, 4, 4));
    row.target = R"({"type":"database","sources":[{"id":")" +
                 std::to_string(first_database + static_cast<std::int64_t>(drawn(number, 5, 5))) +
                 R"(","type":"database"}]})";
}

}  // namespace

void add_details(StreamId stream, Row& row, std::uint64_t number) {
    switch (stream) {
        case StreamId::impressions:
            return;
        case StreamId::clicks:
            row.link = link(number);
            return;
        case StreamId::deliveries:
            row.attempts = attempts(number);
            return;
        case StreamId::errors:
            add_bounce(row, number);
            return;
        case StreamId::abuses:
            row.report = report(number);
            return;
        case StreamId::unsubscribes:
            row.source = source(number);
            return;
        case StreamId::mailings:
            add_mailing(row, number);
            return;
    }
}

}  // namespace simulator
