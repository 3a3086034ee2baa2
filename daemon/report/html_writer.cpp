#include "daemon/report/html_writer.hpp"

#include "core/util/printable.hpp"

namespace mirror::daemon {
namespace {

std::string escaped(std::string_view text) {
    std::string safe;
    for (const char c : printable(text, text.size())) {
        switch (c) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            case '"':
                safe += "&quot;";
                break;
            case '\'':
                safe += "&#39;";
                break;
            default:
                safe += c;
        }
    }
    return safe;
}

}  // namespace

void HtmlWriter::start(std::string_view tag, Attributes attributes) {
    text_ += '<';
    text_ += tag;
    for (const auto& [name, value] : attributes) {
        text_ += ' ';
        text_ += name;
        text_ += "=\"" + escaped(value) + "\"";
    }
    text_ += '>';
}

void HtmlWriter::open(std::string_view tag, Attributes attributes) {
    start(tag, attributes);
    open_.emplace_back(tag);
}

void HtmlWriter::close() {
    text_ += "</" + open_.back() + ">\n";
    open_.pop_back();
}

void HtmlWriter::element(std::string_view tag, std::string_view text, Attributes attributes) {
    open(tag, attributes);
    this->text(text);
    close();
}

void HtmlWriter::single(std::string_view tag, Attributes attributes) {
    start(tag, attributes);
    text_ += '\n';
}

void HtmlWriter::text(std::string_view text) {
    text_ += escaped(text);
}

void HtmlWriter::doctype() {
    text_ += "<!DOCTYPE html>\n";
}

void HtmlWriter::style(std::string_view sheet) {
    open("style");
    text_ += sheet;
    close();
}

std::string HtmlWriter::take() {
    while (!open_.empty()) {
        close();
    }
    return std::move(text_);
}

}  // namespace mirror::daemon
