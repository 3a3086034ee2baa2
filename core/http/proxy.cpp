#include "core/http/proxy.hpp"

#include <algorithm>
#include <cstddef>
#include <stdexcept>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include "core/util/decimal.hpp"

namespace mirror::http {
namespace {

namespace asio = boost::asio;
namespace urls = boost::urls;

constexpr std::uint16_t usual_port = 1080;
constexpr std::size_t longest_answer = std::size_t{16} << 10;

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    return result;
}

std::string with_brackets(const std::string& host) {
    return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

std::string base64(std::string_view bytes) {
    constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        std::uint32_t three = 0;
        for (std::size_t i = 0; i < 3; ++i) {
            const auto byte = at + i < bytes.size() ? static_cast<unsigned char>(bytes[at + i]) : 0;
            three = (three << 8U) | static_cast<std::uint32_t>(byte);
        }
        for (std::size_t i = 0; i < 4; ++i) {
            text += at + i > bytes.size() ? '=' : digits[(three >> (18U - 6U * i)) & 63U];
        }
    }
    return text;
}

// A user with a colon in it would be read as another one, and a line's end as a field.
bool is_printable(std::string_view text) {
    return std::none_of(text.begin(), text.end(),
                        [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

std::string_view without_white_ends(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
        text.remove_prefix(1);
    }
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
        text.remove_suffix(1);
    }
    return text;
}

bool is_in_network(const asio::ip::address& address, std::string_view network) {
    boost::system::error_code not_a_network;
    const std::string text(network);
    if (address.is_v4()) {
        const auto four = asio::ip::make_network_v4(text, not_a_network);
        return !not_a_network &&
               asio::ip::network_v4(address.to_v4(), four.prefix_length()).canonical() ==
                   four.canonical();
    }
    const auto six = asio::ip::make_network_v6(text, not_a_network);
    return !not_a_network &&
           asio::ip::network_v6(address.to_v6(), six.prefix_length()).canonical() ==
               six.canonical();
}

bool excludes(std::string_view entry, const std::string& host) {
    boost::system::error_code not_an_address;
    const auto address = asio::ip::make_address(host, not_an_address);
    if (!not_an_address) {
        if (entry.size() > 1 && entry.front() == '[' && entry.back() == ']') {
            entry = entry.substr(1, entry.size() - 2);
        }
        if (entry.find('/') != std::string_view::npos) {
            return is_in_network(address, entry);
        }
        const auto other = asio::ip::make_address(std::string(entry), not_an_address);
        return !not_an_address && other == address;
    }
    while (!entry.empty() && entry.front() == '.') {
        entry.remove_prefix(1);
    }
    const std::string name = lower(entry);
    return !name.empty() && (host == name || host.ends_with("." + name));
}

}  // namespace

std::string ProxyAddress::place() const {
    return with_brackets(host) + ":" + std::to_string(port);
}

std::string ProxyAddress::authorization() const {
    return user ? "Basic " + base64(*user + ":" + password.value_or("")) : "";
}

ProxyAddress parse_proxy(std::string_view url) {
    const auto parsed = urls::parse_uri(url);
    if (!parsed || !parsed->has_authority()) {
        throw std::invalid_argument(
            "the URL of a proxy must look like \"http://proxy.example.com:3128\"");
    }
    if (parsed->scheme_id() != urls::scheme::http) {
        throw std::invalid_argument("the URL of a proxy must begin with \"http://\"");
    }
    const auto path = parsed->encoded_path();
    if (parsed->has_query() || parsed->has_fragment() || (!path.empty() && path != "/")) {
        throw std::invalid_argument("the URL of a proxy must have nothing behind host and port");
    }
    ProxyAddress proxy;
    proxy.host = lower(std::string(parsed->host_address()));
    // As in the URL of the API; only its errors are of use.
    const auto is_usual = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_' || c == ':';
    };
    if (proxy.host.empty() || !std::all_of(proxy.host.begin(), proxy.host.end(), is_usual)) {
        throw std::invalid_argument("the URL of a proxy has no usable host name");
    }
    proxy.port = usual_port;
    if (parsed->has_port() && !parsed->port().empty()) {
        const auto port =
            read_decimal<std::uint16_t>({parsed->port().data(), parsed->port().size()});
        if (!port || *port == 0) {
            throw std::invalid_argument("the URL of a proxy has no usable port");
        }
        proxy.port = *port;
    }
    if (parsed->has_userinfo()) {
        proxy.user = std::string(parsed->user());
        if (parsed->has_password()) {
            proxy.password = std::string(parsed->password());
        }
        if (proxy.user->empty() || proxy.user->find(':') != std::string::npos ||
            !is_printable(*proxy.user) || !is_printable(proxy.password.value_or(""))) {
            throw std::invalid_argument("the URL of a proxy has no usable user name or password");
        }
    }
    return proxy;
}

bool is_excluded(std::string_view host, std::string_view no_proxy) {
    const std::string name = lower(host);
    if (without_white_ends(no_proxy) == "*") {  // as for curl, only alone
        return true;
    }
    while (!no_proxy.empty()) {
        const auto end = std::min(no_proxy.find_first_of(", "), no_proxy.size());
        const std::string_view entry = without_white_ends(no_proxy.substr(0, end));
        no_proxy.remove_prefix(std::min(no_proxy.size(), end + 1));
        if (!entry.empty() && excludes(entry, name)) {
            return true;
        }
    }
    return false;
}

std::string connect_request(const BaseUrl& url, const ProxyAddress& proxy) {
    const std::string target = with_brackets(url.host) + ":" + std::to_string(url.port);
    std::string text = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
    const std::string authorization = proxy.authorization();
    if (!authorization.empty()) {
        text += "Proxy-Authorization: " + authorization + "\r\n";
    }
    return text + "\r\n";
}

ProxyAnswer read_proxy_answer(std::string_view received) {
    ProxyAnswer answer;
    constexpr std::string_view version = "HTTP/1.";
    constexpr std::size_t status_at = 9;  // behind "HTTP/1.1 "
    constexpr std::size_t status_end = status_at + 3;
    const std::size_t shown = std::min(received.size(), version.size());
    if (received.substr(0, shown) != version.substr(0, shown) || received.size() > longest_answer) {
        answer.state = ProxyAnswer::State::broken;
        return answer;
    }
    const auto end = received.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return answer;
    }
    const auto status = received.size() >= status_end
                            ? read_decimal<int>(received.substr(status_at, 3))
                            : std::nullopt;
    if (!status || *status < 200) {
        answer.state = ProxyAnswer::State::broken;
        return answer;
    }
    answer.status = *status;
    if (*status >= 300) {
        answer.state = ProxyAnswer::State::refused;
    } else {
        // The client speaks first in TLS: anything behind is not the server's.
        answer.state =
            end + 4 == received.size() ? ProxyAnswer::State::tunnel : ProxyAnswer::State::broken;
    }
    return answer;
}

ProxyRefusal proxy_refusal(int status, const BaseUrl& url, const ProxyAddress& proxy) {
    ProxyRefusal refusal;
    const std::string number = " (HTTP status " + std::to_string(status) + ")";
    const std::string who = "the proxy " + proxy.place();
    // tinyproxy answers a wrong password with 401.
    if (status == 407 || status == 401) {
        refusal.needs_person = true;
        refusal.why = proxy.user ? who + " refuses the user name and the password" + number
                                 : who + " wants a user name and a password" + number;
    } else if (status == 403) {
        refusal.needs_person = true;
        refusal.why = who + " does not allow connections to " + url.host + number;
    } else if (status == 502 || status == 503 || status == 504) {
        refusal.why = who + " does not reach " + url.host + number;
    } else {
        refusal.why = who + " makes no connection to " + url.host + number;
    }
    return refusal;
}

}  // namespace mirror::http
