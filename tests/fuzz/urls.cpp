// A text as a base URL, as a redirect, as a query, and shown to people.
#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/copernica/query.hpp"
#include "core/http/url.hpp"
#include "core/util/printable.hpp"
#include "core/util/secret.hpp"
#include "tests/fuzz/target.hpp"

namespace mirror::fuzz {
namespace {

const Secret& token() {
    static const Secret secret("CANARY+/ &token");
    return secret;
}

// What may stand in a line of a request: else one request could become two.
bool is_fit_for_a_request(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::size_t occurrences(std::string_view text, std::string_view what) {
    std::size_t count = 0;
    for (auto at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) {
        ++count;
    }
    return count;
}

// The way that this code decides does not go through Boost.URL.
bool begins_with_loopback(const std::string& text) {
    const std::string host = text.substr(7);
    return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[");
}

void check_base(std::string_view input) {
    http::BaseUrl base;
    try {
        base = http::parse_base_url(input);
    } catch (const std::invalid_argument& refused) {
        const std::string why = refused.what();
        require(printable(why, why.size()) == why, "a refusal is not fit for a terminal");
        return;
    }
    const std::string text = base.text();
    require(is_fit_for_a_request(text), "a base URL is not fit for a request");
    require(base.tls || begins_with_loopback(text), "plain HTTP to another machine");
    require(text.find('@') == std::string::npos || base.path.find('@') != std::string::npos,
            "a user name in a base URL");
    require(http::parse_base_url(text).text() == text, "a base URL reads as another one");
}

// Who asks for the input, and what becomes of the token.
void check_target(std::string_view path, std::string_view query) {
    const std::string target = copernica::target_with_token(path, query, token());
    require(target.starts_with('/') && is_fit_for_a_request(target),
            "a redirect leads to no target of a request");
    require(occurrences(target, copernica::percent_encode(token().reveal())) >= 1, "no token");
}

void check_redirect(std::string_view input) {
    static const http::BaseUrl base = http::parse_base_url("https://api.copernica.com/v3");
    const http::RedirectTarget target = http::parse_location(base, "/v3/ms/impressions", input);
    if (target.kind == http::RedirectTarget::Kind::same_place) {
        check_target(target.path, target.query);
    }
}

void check_printable(std::string_view input) {
    const std::string shown = printable(input, input.size());
    require(printable(shown, shown.size()) == shown, "shown text is not fit for a terminal");
    require(std::none_of(shown.begin(), shown.end(),
                         [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; }),
            "a control character is shown");
    const std::string some = printable(input, 10);
    require(some.size() <= 10 * 6 + 3, "more is shown than was asked");
}

void check_redacted(std::string_view input) {
    const std::string echoed = std::string(input) + token().reveal() + std::string(input) +
                               copernica::percent_encode(token().reveal()) + std::string(input);
    require(token().redact(echoed).find("CANARY") == std::string::npos ||
                input.find("CANARY") != std::string_view::npos,
            "the token is shown");
}

void check_encoded(std::string_view input) {
    const std::string encoded = copernica::percent_encode(input);
    std::string decoded;
    for (std::size_t at = 0; at < encoded.size(); ++at) {
        if (encoded[at] == '%') {
            decoded += static_cast<char>(std::stoi(encoded.substr(at + 1, 2), nullptr, 16));
            at += 2;
        } else {
            decoded += encoded[at];
        }
    }
    require(decoded == input, "encoded as another text");
    require(is_fit_for_a_request(encoded) && encoded.find('&') == std::string::npos,
            "encoded, and not fit for a query");
}

}  // namespace

void urls(std::string_view input) {
    check_base(input);
    check_redirect(input);
    check_printable(input);
    check_redacted(input);
    check_encoded(input);
}

}  // namespace mirror::fuzz
