#include "core/http/request.hpp"

namespace mirror::http {

std::string request_text(const Request& request, const std::string& authority) {
    std::string text = request.form ? "POST " : "GET ";
    text += request.target + " HTTP/1.1\r\nHost: " + authority +
            "\r\nUser-Agent: " + request.agent +
            "\r\nAccept: application/json\r\nAccept-Encoding: gzip\r\n";
    if (!request.authorization.empty()) {
        text += "Authorization: " + request.authorization + "\r\n";
    }
    if (request.form) {
        text += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
                std::to_string(request.form->size()) + "\r\n";
    }
    text += "\r\n";
    return request.form ? text + *request.form : text;
}

}  // namespace mirror::http
