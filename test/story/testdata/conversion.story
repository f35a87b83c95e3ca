# A server with its disk that turns pay-per-use when its month has ended: it runs on by the hour.

clock     2027-01-31 12:00
customer  cedar-labs
nocoupons
order     web 1 s3.small.1.linux 1m disk=40
pay       web
ondemand  web on
clock     2027-02-28 23:00
resource  web status 2
clock     2027-03-01 04:00              # the term ended with the 28th
resource  web status 3
machine   web 2
charged   web Duration 2027-03 records 3 usage 10800 official 0.0609
clock     2027-03-02 01:00
charged   web Duration 2027-03 records 24 usage 86400
check
