# SPDX-License-Identifier: Apache-2.0
"""crawl_scrapy.py URL OUT.jsonl: Scrapy over the same site: links of each page on the same host, a row a page with title
and text.  Prints the seconds from the start of its engine to the end."""
import sys
import time

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.linkextractors import LinkExtractor

url, out = sys.argv[1], sys.argv[2]
links = LinkExtractor(allow=["^" + url[: url.index("/", 8) + 1]])


class Site(scrapy.Spider):
    name = "site"
    start_urls = [url]

    def parse(self, response):
        text = " ".join(t.strip() for t in response.xpath("//body//text()[not(parent::script) and not(parent::style)]").getall())
        yield {"url": response.url, "title": response.xpath("//title/text()").get(), "text": text}
        for link in links.extract_links(response):
            yield response.follow(link.url, self.parse)


process = CrawlerProcess({
    "LOG_ENABLED": False, "ROBOTSTXT_OBEY": True, "DOWNLOAD_DELAY": 0, "CONCURRENT_REQUESTS": 16,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 16, "TELNETCONSOLE_ENABLED": False,
    "FEEDS": {out: {"format": "jsonlines", "overwrite": True, "encoding": "utf8"}}})
process.crawl(Site)
start = time.time()
process.start()
print(round(time.time() - start, 2))
