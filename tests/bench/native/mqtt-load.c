/* Generator of the ingest bench: many MQTT 3.1.1 clients on raw sockets, each keeping a number of QoS 1 publishes under way.
 * What it sends was made beforehand and lies in a file, so that it takes a small part of a core and is never what is measured.
 *
 * mqtt-load PORT IN_FLIGHT WARM_MS RUN_MS FILE
 *
 * FILE, numbers little-endian u32: clients; then for each: length and bytes of its CONNECT, length and bytes of its SUBSCRIBE
 * (0: none), packets, length of one packet, where in it the packet identifier stands, and the packets. Behind the last packet
 * a client begins again. Prints one JSON line: PUBACKs and downlinks within RUN_MS, the seconds they took, latency of PUBACK
 * at the median and the 99th percentile in ms, the generator's own CPU as a share of a core, and whether a client began again.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS_MAX = 4096, IN_FLIGHT_MAX = 1024, READ_BYTES = 65536, BUCKETS = 4096, SIGN_IN_MS = 30000 };

typedef struct {
  int fd, is_in, began_again;
  const uint8_t *connect, *subscribe, *packets;
  uint32_t connect_len, subscribe_len, count, len, id_at;
  uint64_t sent;                  /* packets so far: the identifier follows from it */
  double at[IN_FLIGHT_MAX];       /* when each packet under way was sent; PUBACKs come in order */
  uint32_t first, under_way;
  uint8_t *out;
  size_t out_len, out_done;
  int state;                      /* of the parser: 0 type, 1 length, 2 body */
  uint8_t type;
  uint32_t remaining, shift;
} client;

static client *clients;
static uint32_t client_count, in_flight;
static int epoll;
static uint64_t buckets[BUCKETS], acked, downlinks;
static int is_measuring;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}

static void fail(const char *what) {
  fprintf(stderr, "mqtt-load: %s: %s\n", what, strerror(errno));
  exit(1);
}

/* Buckets of equal ratio: 1 microsecond to about 100 s, a third of a per cent each. */
static int bucket_of(double seconds) {
  double us = seconds * 1e6;
  int i = 0;
  while (us >= 2 && i < BUCKETS - 128) us /= 2, i += 128;
  return i + (us > 1 ? (int)((us - 1) * 128) : 0);
}

static double value_of(int bucket) {
  double us = 1 + (bucket % 128) / 128.0;
  for (int i = bucket / 128; i > 0; i--) us *= 2;
  return us / 1000;
}

static double quantile(double share) {
  uint64_t seen = 0;
  for (int i = 0; i < BUCKETS; i++) {
    seen += buckets[i];
    if (acked && seen >= share * acked) return value_of(i);
  }
  return 0;
}

static void flush_out(client *c) {
  while (c->out_done < c->out_len) {
    ssize_t n = write(c->fd, c->out + c->out_done, c->out_len - c->out_done);
    if (n < 0) {
      if (errno == EAGAIN) return;
      fail("write");
    }
    c->out_done += n;
  }
  c->out_done = c->out_len = 0;
}

static void send_more(client *c, double t) {
  while (c->under_way < in_flight && c->out_len + c->len <= (size_t)IN_FLIGHT_MAX * c->len) {
    uint32_t which = c->sent % c->count;
    if (c->sent >= c->count) c->began_again = 1;
    uint8_t *to = c->out + c->out_len;
    uint32_t id = c->sent % 65535 + 1;
    memcpy(to, c->packets + (size_t)which * c->len, c->len);
    to[c->id_at] = id >> 8;
    to[c->id_at + 1] = id;
    c->out_len += c->len;
    c->at[(c->first + c->under_way++) % IN_FLIGHT_MAX] = t;
    c->sent++;
  }
  flush_out(c);
}

static void take(client *c, double t) {
  switch (c->type >> 4) {
    case 2: /* CONNACK */
      c->is_in = 1;
      memcpy(c->out, c->subscribe, c->subscribe_len);
      c->out_len = c->subscribe_len;
      flush_out(c);
      break;
    case 3: /* PUBLISH */
      if (is_measuring) downlinks++;
      break;
    case 4: /* PUBACK */
      if (c->under_way == 0) fail("a PUBACK for nothing");
      if (is_measuring) {
        acked++;
        buckets[bucket_of(t - c->at[c->first])]++;
      }
      c->first = (c->first + 1) % IN_FLIGHT_MAX;
      c->under_way--;
      break;
  }
}

static void parse(client *c, const uint8_t *bytes, ssize_t n, double t) {
  for (ssize_t i = 0; i < n;) {
    if (c->state == 2) {
      uint32_t step = n - i < c->remaining ? n - i : c->remaining;
      i += step;
      c->remaining -= step;
    } else if (c->state == 0) {
      c->type = bytes[i++];
      c->state = 1;
      c->remaining = c->shift = 0;
      continue;
    } else {
      c->remaining |= (bytes[i] & 127u) << c->shift;
      c->shift += 7;
      if (bytes[i++] & 128) continue;
      c->state = 2;
    }
    if (c->remaining == 0) {
      c->state = 0;
      take(c, t);
    }
  }
}

/* What a full socket did not take goes out at the next answer: with packets under way there is always one to come.
 * Handles events until `until`; with `is_signing_in`, ends as soon as all are in. */
static void run(double until, int is_signing_in) {
  static uint8_t bytes[READ_BYTES];
  struct epoll_event events[256];
  for (;;) {
    double t = now();
    if (t >= until) return;
    int n = epoll_wait(epoll, events, 256, (int)((until - t) * 1000) + 1);
    for (int i = 0; i < n; i++) {
      client *c = events[i].data.ptr;
      ssize_t got = read(c->fd, bytes, READ_BYTES);
      if (got < 0 && errno == EAGAIN) continue;
      if (got <= 0) fail("the broker ended a connection");
      t = now();
      parse(c, bytes, got, t);
      if (c->is_in && !is_signing_in) send_more(c, t);
    }
    if (!is_signing_in) continue;
    uint32_t in = 0;
    while (in < client_count && clients[in].is_in) in++;
    if (in == client_count) return;
  }
}

static void open_client(client *c, int port) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int one = 1;
  c->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect");
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (write(c->fd, c->connect, c->connect_len) != (ssize_t)c->connect_len) fail("write");
  fcntl(c->fd, F_SETFL, O_NONBLOCK);
  c->out = malloc((size_t)IN_FLIGHT_MAX * c->len + c->subscribe_len);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll");
}

static const uint8_t *cursor;
static uint32_t number(void) {
  uint32_t value;
  memcpy(&value, cursor, 4);
  cursor += 4;
  return value;
}
static const uint8_t *bytes_of(uint32_t len) {
  const uint8_t *from = cursor;
  cursor += len;
  return from;
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  in_flight = atoi(argv[2]);
  int file = open(argv[5], O_RDONLY);
  struct stat about;
  if (file < 0 || fstat(file, &about) < 0) fail(argv[5]);
  cursor = mmap(0, about.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (cursor == MAP_FAILED) fail("mmap");
  client_count = number();
  if (client_count > CLIENTS_MAX || in_flight > IN_FLIGHT_MAX) return 2;
  clients = calloc(client_count, sizeof *clients);
  epoll = epoll_create1(0);
  for (uint32_t i = 0; i < client_count; i++) {
    client *c = &clients[i];
    c->connect_len = number();
    c->connect = bytes_of(c->connect_len);
    c->subscribe_len = number();
    c->subscribe = bytes_of(c->subscribe_len);
    c->count = number();
    c->len = number();
    c->id_at = number();
    c->packets = bytes_of(c->count * c->len);
    open_client(c, atoi(argv[1]));
  }
  run(now() + SIGN_IN_MS / 1e3, 1);
  for (uint32_t i = 0; i < client_count; i++) {
    if (!clients[i].is_in) return fprintf(stderr, "mqtt-load: client %u could not sign in\n", i), 1;
    send_more(&clients[i], now());
  }
  run(now() + atoi(argv[3]) / 1e3, 0);
  is_measuring = 1;
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  double began = now();
  run(began + atoi(argv[4]) / 1e3, 0);
  double took = now() - began;
  getrusage(RUSAGE_SELF, &after);
  double cpu = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) + (after.ru_stime.tv_sec - before.ru_stime.tv_sec) +
               (after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec) / 1e6;
  int again = 0;
  for (uint32_t i = 0; i < client_count; i++) again |= clients[i].began_again;
  printf("{\"acked\":%llu,\"downlinks\":%llu,\"seconds\":%.4f,\"p50Ms\":%.4f,\"p99Ms\":%.4f,\"core\":%.3f,\"beganAgain\":%s}\n",
         (unsigned long long)acked, (unsigned long long)downlinks, took, quantile(0.5), quantile(0.99), cpu / took,
         again ? "true" : "false");
  return 0;
}
