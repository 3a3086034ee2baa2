#include "core/http/url.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include "core/util/decimal.hpp"

namespace mirror::http {
namespace {

namespace urls = boost::urls;

constexpr std::uint16_t https_port = 443;
constexpr std::uint16_t http_port = 80;

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

bool is_host_name(std::string_view host) {
    return !host.empty() && host.size() <= 253 && host.front() != '.' && host.front() != '-' &&
           std::all_of(host.begin(), host.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
                      c == '_';
           });
}

// Boost.URL 1.81 ends an address where it could end, and takes the rest of "127.0.0.1.evil.example"
// for a path (1.83 does not). A path behind a host begins with a slash.
bool is_host_cut_short(const urls::url_view& url) {
    const auto path = url.encoded_path();
    return url.has_authority() && !path.empty() && path.front() != '/';
}

// Scheme, host and port of a URL that has them and is one of ours.
std::optional<BaseUrl> place_of(const urls::url_view& url) {
    BaseUrl place;
    if ((url.scheme_id() != urls::scheme::https && url.scheme_id() != urls::scheme::http) ||
        url.host_type() == urls::host_type::ipvfuture) {
        return std::nullopt;
    }
    place.tls = url.scheme_id() == urls::scheme::https;
    place.host = lower(std::string(url.host_address()));
    // A zone ("fe80::1%25eth0"), which Boost.URL 1.83 reads and 1.81 does not: no API is there.
    if (place.host.find('%') != std::string::npos) {
        return std::nullopt;
    }
    boost::system::error_code not_an_address;
    boost::asio::ip::make_address(place.host, not_an_address);
    place.host_is_address = !not_an_address;
    if (!place.host_is_address && !is_host_name(place.host)) {
        return std::nullopt;
    }
    place.port = place.tls ? https_port : http_port;
    if (url.has_port() && !url.port().empty()) {
        // Not port_number(): it takes 99999 for something else.
        const auto port = read_decimal<std::uint16_t>({url.port().data(), url.port().size()});
        if (!port || *port == 0) {
            return std::nullopt;
        }
        place.port = *port;
    }
    return place;
}

bool is_loopback(const BaseUrl& place) {
    return place.host == "localhost" ||
           (place.host_is_address && boost::asio::ip::make_address(place.host).is_loopback());
}

}  // namespace

std::string BaseUrl::authority() const {
    std::string result = host.find(':') == std::string::npos ? host : "[" + host + "]";
    if (port != (tls ? https_port : http_port)) {
        result += ":" + std::to_string(port);
    }
    return result;
}

std::string BaseUrl::text() const {
    return (tls ? "https://" : "http://") + authority() + path;
}

BaseUrl parse_base_url(std::string_view text) {
    const auto parsed = urls::parse_uri(text);
    if (!parsed || is_host_cut_short(*parsed)) {
        throw std::invalid_argument(
            "not a URL; expected one like \"https://api.copernica.com/v3\"");
    }
    const urls::url_view& url = *parsed;
    if (url.scheme_id() != urls::scheme::https && url.scheme_id() != urls::scheme::http) {
        throw std::invalid_argument("the URL must begin with \"https://\"");
    }
    if (url.has_userinfo()) {
        throw std::invalid_argument("the URL must have no user name or password in it");
    }
    if (url.has_query() || url.has_fragment()) {
        throw std::invalid_argument("the URL must have no \"?\" or \"#\" in it");
    }
    auto place = place_of(url);
    if (!place) {
        throw std::invalid_argument("the URL has no usable host name or port");
    }
    place->path =
        std::string(std::string_view(url.encoded_path().data(), url.encoded_path().size()));
    while (!place->path.empty() && place->path.back() == '/') {
        place->path.pop_back();
    }
    if (!place->tls && !is_loopback(*place)) {
        throw std::invalid_argument("plain HTTP is only for this machine (127.0.0.1, ::1, " +
                                    std::string("localhost): use \"https://") + place->authority() +
                                    place->path + "\"");
    }
    return *place;
}

RedirectTarget parse_location(const BaseUrl& base, std::string_view path,
                              std::string_view location) {
    RedirectTarget result;
    const auto reference = urls::parse_uri_reference(location);
    // What was asked is the base that a relative reference starts from.
    const std::string asked =
        (base.tls ? "https://" : "http://") + base.authority() + std::string(path);
    const auto from = urls::parse_uri(asked);
    urls::url resolved;
    if (!reference || is_host_cut_short(*reference) || !from ||
        !urls::resolve(*from, *reference, resolved)) {
        return result;
    }
    const auto place = place_of(resolved);
    if (!place || resolved.has_userinfo() || place->tls != base.tls || place->host != base.host ||
        place->port != base.port) {
        result.kind = RedirectTarget::Kind::other_place;
        result.place =
            std::string(resolved.scheme()) + "://" + std::string(resolved.encoded_host_and_port());
        return result;
    }
    result.kind = RedirectTarget::Kind::same_place;
    const auto encoded_path = resolved.encoded_path();
    result.path.assign(encoded_path.data(), encoded_path.size());
    if (result.path.empty()) {
        result.path = "/";
    }
    if (resolved.has_query()) {
        const auto query = resolved.encoded_query();
        result.query.assign(query.data(), query.size());
    }
    return result;
}

}  // namespace mirror::http
